/** Shares of memory: whoever holds some must leave as much for others, so no number of holders can take all of it. */

/**
 * A number of bytes that many share. A share may grow as long as no more is in it than is left free: one alone gets half of all, two
 * a third each, and the next one that comes always finds room.
 */
export class SharedBytes {
  readonly #most: number;
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** How many bytes are held in all shares together. */
  get taken(): number {
    return this.#taken;
  }

  /** A share for a party that holds nothing yet. */
  share(): Share {
    let held = 0;
    return {
      take: bytes => {
        if (held + bytes > this.#most - this.#taken - bytes) return false;
        held += bytes;
        this.#taken += bytes;
        return true;
      },
      give: bytes => {
        held -= bytes;
        this.#taken -= bytes;
      },
    };
  }
}

/** What one party holds. */
export type Share = {
  /** Whether there is room for so many more bytes; then they are taken. */
  readonly take: (bytes: number) => boolean;
  readonly give: (bytes: number) => void;
};
