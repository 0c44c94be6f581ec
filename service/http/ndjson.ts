/** Lines over HTTP: read one by one within limits, and answered in their order with only so much under way. */

/** Why no line is read any more: its sender is too `late`, or the service is `stopping`. */
export type Interruption = 'late' | 'stopping';

/** A line: its bytes without the line feed; or that it was too `long`, and read away; or that the body was `cut` before its end. */
export type Line =
  | { readonly kind: 'whole'; readonly bytes: Uint8Array }
  | { readonly kind: 'long' | 'cut' | 'endless' | Interruption };

/** Runs while the other side is waited for, and is told how many bytes have moved; 0 where something came that is not to its credit. */
export type Clock = {
  readonly start: () => void;
  readonly stop: () => void;
  readonly moved: (bytes: number) => void;
};

const lineFeed = 0x0a;

/** A line longer than this is not read to its end: whoever sends it has lost the form. */
const readAwayMaxBytes = 64 << 20;

/** Reads lines from a body, of which it never holds more than one line and one chunk. */
export class LineReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #clock: Clock;
  #rest: Uint8Array = new Uint8Array(0);
  #interruption: Interruption | undefined;

  constructor(chunks: AsyncIterator<Uint8Array>, clock: Clock) {
    this.#chunks = chunks;
    this.#clock = clock;
  }

  /** Why the reading was ended before the end of the body, if it was. */
  get interruption(): Interruption | undefined {
    return this.#interruption;
  }

  /** Ends the reading, at once. The first reason stays. */
  interrupt(reason: Interruption): void {
    if (this.#interruption !== undefined) return;
    this.#interruption = reason;
    void this.#chunks.return?.();
  }

  /** The next line, where all of it is here: what `line` would give without a wait. */
  ready(maxBytes: number): Line | undefined {
    const at = this.#interruption === undefined ? this.#rest.indexOf(lineFeed) : -1;
    if (at < 0) return undefined;
    const bytes = this.#rest.subarray(0, at);
    this.#rest = this.#rest.subarray(at + 1);
    if (at > maxBytes) return { kind: 'long' };
    this.#clock.moved(at + 1);
    return { kind: 'whole', bytes };
  }

  /**
   * The next line; undefined at the end of the body, or of the reading where no line has begun: nobody gets an answer to a line that
   * was not sent. After `cut`, `endless` and an interruption there is no further line.
   *
   * @param maxBytes how long it may be, without its line feed
   * @param hold asked before each piece of it is held: where there is no room, the line is too long
   */
  async line(maxBytes: number, hold: (bytes: number) => boolean = () => true): Promise<Line | undefined> {
    const begun = new Gathered(maxBytes, hold);
    try {
      for (;;) {
        if (this.#interruption !== undefined) {
          if (begun.length + this.#rest.length === 0) return undefined;
          this.#rest = new Uint8Array(0);
          return { kind: this.#interruption };
        }
        const at = this.#rest.indexOf(lineFeed);
        const piece = at < 0 ? this.#rest : this.#rest.subarray(0, at);
        this.#rest = at < 0 ? new Uint8Array(0) : this.#rest.subarray(at + 1);
        begun.add(piece);
        if (at >= 0) {
          const line = begun.line();
          // Speed counts for what is held only: by lines that are read away, a place could be kept for ever.
          if (line.kind === 'whole') this.#clock.moved(begun.length + 1);
          return line;
        }
        if (begun.length > readAwayMaxBytes) return { kind: 'endless' };

        this.#clock.start();
        const { done, value } = await this.#chunks.next();
        // An interruption ends the chunks, too.
        if (done === true && this.#interruption === undefined)
          return begun.length === 0 ? undefined : { kind: 'cut' };
        if (done === true) continue;
        this.#clock.moved(0);
        this.#rest = value;
      }
    } finally {
      this.#clock.stop();
    }
  }
}

/** A line that is put together from pieces, as long as it is not too long. */
class Gathered {
  readonly #maxBytes: number;
  readonly #hold: (bytes: number) => boolean;
  #isLong = false;
  // A sender may cut a line into single bytes: copied into one buffer they cost no more than they are.
  #buffer: Uint8Array = new Uint8Array(0);
  length = 0;

  constructor(maxBytes: number, hold: (bytes: number) => boolean) {
    this.#maxBytes = maxBytes;
    this.#hold = hold;
  }

  add(piece: Uint8Array): void {
    const before = this.length;
    this.length += piece.length;
    this.#isLong ||= this.length > this.#maxBytes || !this.#hold(piece.length);
    if (this.#isLong) {
      this.#buffer = new Uint8Array(0);
    } else if (before === 0) {
      this.#buffer = piece;
    } else {
      if (this.length > this.#buffer.length || this.#buffer.byteOffset > 0) {
        const larger = new Uint8Array(Math.min(this.#maxBytes, 2 * this.length));
        larger.set(this.#buffer.subarray(0, before));
        this.#buffer = larger;
      }
      this.#buffer.set(piece, before);
    }
  }

  line(): Line {
    if (this.#isLong) return { kind: 'long' };
    return { kind: 'whole', bytes: this.#buffer.subarray(0, this.length) };
  }
}

/** An answer that waits for its turn; `times` lines of the same text. */
type Slot = {
  text: string | undefined;
  times: number;
  weight: number;
};

/** How much may be under way for one upload: so many answers, and so many bytes of lines or of the answers to them. */
const underWayMax = { answers: 1_000, bytes: 2 << 20 };

/** Text is handed over in pieces of about this length: one line each would cost a write each. */
const pieceLength = 16_384;

/** Answers to lines, given out in the order of the lines whenever they are ready. */
export class Answers {
  readonly #clock: Clock;
  readonly #slots: Slot[] = [];
  #bytes = 0;
  #last: (() => string) | undefined;
  #isCancelled = false;
  #changed: PromiseWithResolvers<void> | undefined;

  /** @param clock runs while it is waited for that somebody reads */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether nobody wants answers any more. */
  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** Whether another line may be taken up now. */
  get hasRoom(): boolean {
    return !this.#isCancelled && !this.#isFull();
  }

  /** Waits until another line may be taken up. False when nobody wants answers any more. */
  async room(): Promise<boolean> {
    while (!this.#isCancelled && this.#isFull()) await this.#change();
    return !this.#isCancelled;
  }

  /**
   * Adds a place for the answer to the next line, which waits with so many bytes. Gives what brings the answer, once and without a line
   * feed.
   */
  add(weight: number): (answer: string) => void {
    const slot: Slot = { text: undefined, times: 1, weight };
    this.#push(slot);
    return answer => {
      slot.text = `${answer}\n`;
      // A line of many small faults has an answer that is longer than itself.
      const more = Math.max(0, slot.text.length - slot.weight);
      slot.weight += more;
      this.#bytes += more;
      if (slot === this.#slots[0]) this.#tell();
    };
  }

  /** Adds one answer for each of so many lines. */
  repeat(answer: string, times: number): void {
    this.#push({ text: `${answer}\n`, times, weight: answer.length });
  }

  /** Says that no line follows. @param last makes the last line, once all others have been given out */
  end(last: () => string): void {
    this.#last = last;
    this.#tell();
  }

  /** Says that nobody wants answers any more. */
  cancel(): void {
    this.#isCancelled = true;
    this.#tell();
  }

  /** The text of the answers. Who takes it slowly slows the reading down, too. */
  async *text(): AsyncGenerator<string, void, undefined> {
    while (!this.#isCancelled) {
      const [first] = this.#slots;
      if (first?.text !== undefined) {
        const piece = this.#take();
        this.#clock.start();
        try {
          yield piece;
        } finally {
          this.#clock.stop();
        }
        this.#clock.moved(piece.length);
      } else if (first === undefined && this.#last !== undefined) {
        yield `${this.#last()}\n`;
        return;
      } else {
        await this.#change();
      }
    }
  }

  #isFull(): boolean {
    return this.#slots.length >= underWayMax.answers || this.#bytes >= underWayMax.bytes;
  }

  #push(slot: Slot): void {
    this.#slots.push(slot);
    this.#bytes += slot.weight;
    this.#tell();
  }

  /** Takes what is ready. */
  #take(): string {
    let piece = '';
    for (
      let first = this.#slots[0];
      first?.text !== undefined && piece.length < pieceLength;
      [first] = this.#slots
    ) {
      const times = Math.min(first.times, Math.ceil(pieceLength / first.text.length));
      piece += first.text.repeat(times);
      first.times -= times;
      if (first.times > 0) continue;
      this.#slots.shift();
      this.#bytes -= first.weight;
    }
    this.#tell();
    return piece;
  }

  #change(): Promise<void> {
    this.#changed ??= Promise.withResolvers();
    return this.#changed.promise;
  }

  #tell(): void {
    this.#changed?.resolve();
    this.#changed = undefined;
  }
}
