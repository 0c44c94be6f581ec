/**
 * The service's own view of the key registry: which key belongs to which agency, and until when.
 *
 * Events only say where to look. A key counts when a final block's state holds it and it has proved its possession, and it counts
 * no longer as soon as the newest block, final or not, shows that its end was brought forward. Whether anything has changed at
 * all is read from the root of the registry's storage, which is proved, so no withheld event can hide a retirement.
 */

import type { Logger } from 'pino';
import { equalBytes, formatHex, formatHex0x } from '../merkle/bytes.ts';
import { FormatError, ProofError } from '../merkle/errors.ts';
import type { RegisteredKey } from '../merkle/evidence.ts';
import type { Jwk } from '../merkle/jwk.ts';
import type { Algorithm } from '../merkle/signature.ts';
import type { KeyAdded } from './abi.ts';
import {
  type Agency,
  type Announcement,
  agencyWrite,
  type Cursor,
  cursorWrite,
  isAnnounced,
  keyWrite,
  readAnnouncement,
  readAnnouncements,
} from './announcements.ts';
import type { ChainBlock, FinalBlock } from './chain.ts';
import { Hearing } from './hearing.ts';
import type { BlockRange, PlacedKeyEvent, Registry } from './registry.ts';
import { ChainUnreachable, ChainWrong } from './rpc.ts';
import type { Store, Write } from './store.ts';

export type { Agency } from './announcements.ts';

/** A registered key, as final state and the newest block show it. */
export type ViewedKey = {
  readonly keyId: Uint8Array;
  readonly agency: string;
  readonly algorithm: Algorithm;
  /** Seconds since 1970; good from `validFrom` on, up to and without `validUntil`. */
  readonly validFrom: number;
  readonly validUntil: number;
  readonly jwk: Jwk;
  /** Its end was brought forward: nothing new is accepted under it, even before that end. */
  readonly retired: boolean;
};

/**
 * Why a key is not good at a time (milliseconds); undefined where it is. DESIGN 3.7: it is when validFrom × 1000 ≤ time <
 * validUntil × 1000, and refused as soon as it is seen retired.
 */
export function faultOfKey(key: ViewedKey | undefined, timeMs: number): string | undefined {
  if (key === undefined || key.retired) return 'the key has been retired';
  if (timeMs < key.validFrom * 1000) return 'the key is not valid yet';
  return timeMs >= key.validUntil * 1000 ? 'the key is no longer valid' : undefined;
}

/** How many blocks are caught up before they are noted down. */
const catchUpBlocks = 20_000;
/** How far to go back when the block that was read last has gone, and how far to run ahead of the noted one. */
const stepBackBlocks = 2_000;
const cursorLagBlocks = 256;

export class KeyView {
  readonly #store: Store;
  readonly #registry: Registry;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #hearing: Hearing;
  readonly #announced: Map<string, Announcement>;
  readonly #agencies: Map<string, Agency>;
  /** Up to where the events were read, and up to where that is noted down. */
  #cursor: Cursor | undefined;
  #noted: Cursor | undefined;
  #keys: ReadonlyMap<string, ViewedKey> = new Map();
  /** The newest block that `#keys` shows, and the roots of the registry's storage in its state and in the final one. */
  #shown:
    | { readonly latest: ChainBlock; readonly newestRoot: Uint8Array; readonly finalRoot: Uint8Array }
    | undefined;
  #eventsSinceShown = 0;
  #polling: Promise<void> | undefined;
  #trouble: string | undefined;

  private constructor(parts: KeyViewParts, kept: Awaited<ReturnType<typeof readAnnouncements>>) {
    this.#store = parts.store;
    this.#registry = parts.registry;
    this.#log = parts.log;
    this.#now = parts.now;
    this.#hearing = new Hearing(parts.now, parts.elapsed);
    this.#announced = kept.announced;
    this.#agencies = kept.agencies;
    this.#cursor = kept.cursor;
    this.#noted = kept.cursor;
  }

  /** Opens the view on what is kept of the events. It knows no key until `poll` has read the state. */
  static async open(parts: KeyViewParts): Promise<KeyView> {
    return new KeyView(parts, await readAnnouncements(parts.store));
  }

  /**
   * Brings the view up to the newest block. A chain that cannot be reached, or is not believed, leaves the view as it is and counts
   * as silence. Rejects only on a fault of the store.
   */
  poll(): Promise<void> {
    this.#polling ??= this.#poll().finally(() => {
      this.#polling = undefined;
    });
    return this.#polling;
  }

  /** A key that is registered; also one that is retired, or not good yet. */
  find(keyId: Uint8Array): ViewedKey | undefined {
    return this.#keys.get(formatHex(keyId));
  }

  /** Returns when a record of a time (milliseconds) may be accepted, or any at all. @throws {LedgerError} CHAIN_SILENT, CLOCK_OFF */
  ready(timeMs?: number): void {
    this.#hearing.ready(timeMs);
  }

  agencies(): readonly Agency[] {
    return [...this.#agencies.values()];
  }

  keys(): readonly ViewedKey[] {
    return [...this.#keys.values()];
  }

  /** What an operator looks at. Times are milliseconds since 1970. */
  status() {
    return {
      heardAt: this.#hearing.heardAt,
      clockOffMs: this.#hearing.clockOffMs,
      block: this.#shown?.latest.number,
      keys: this.#keys.size,
      agencies: this.#agencies.size,
      trouble: this.#trouble,
    };
  }

  async #poll(): Promise<void> {
    const askedAt = this.#now();
    try {
      const latest = await this.#registry.chain.latest();
      await this.#follow(latest);
      this.#hearing.heard(latest, askedAt);
      if (this.#trouble !== undefined) this.#log.info({ block: latest.number }, 'heard the chain again');
      this.#trouble = undefined;
    } catch (error) {
      if (!(error instanceof ChainUnreachable || error instanceof ChainWrong)) throw error;
      if (this.#trouble !== error.message)
        this.#log.warn({ reason: error.message }, 'did not hear the chain');
      this.#trouble = error.message;
    }
  }

  async #follow(latest: ChainBlock): Promise<void> {
    if (this.#shown !== undefined && isSame(this.#shown.latest, latest)) return;
    // Another node, or this one from a copy: in its state a key that was retired is good again.
    const newest = this.#shown?.latest.number ?? 0;
    if (latest.number < newest) {
      this.#registry.rpc.distrust();
      throw new ChainUnreachable(
        `the node's newest block is ${latest.number}, block ${newest} was seen before`,
      );
    }
    const final = await this.#registry.chain.final(latest);
    const from = await this.#nextBlock(latest);
    const shown = this.#shown;
    const newestRoot = await this.#registry.keysRoot(latest);
    const finalRoot = isSame(final, latest) ? newestRoot : await this.#registry.keysRoot(final);
    const hasChanged = shown !== undefined && !equalBytes(finalRoot, shown.finalRoot);
    const isTold = await this.#readEvents(from, final, hasChanged);
    const isStill = shown !== undefined && equalBytes(newestRoot, shown.newestRoot);
    if (hasChanged || !isStill) await this.#readKeys(latest, final);
    if (!isTold) throw new ChainWrong('event', 'the key registry has changed, and no event tells how');
    this.#shown = { latest, newestRoot, finalRoot };
    this.#eventsSinceShown = 0;
  }

  /**
   * Reads the events from a block up to a final one. False where there is none at all although the registry has changed: a node that
   * is behind answers so, and if these blocks were then taken for read, a key would be missed for ever.
   */
  async #readEvents(first: number, final: FinalBlock, hasChanged: boolean): Promise<boolean> {
    const isTold = () => !hasChanged || this.#eventsSinceShown > 0;
    for (let from = first; from <= final.number; from += catchUpBlocks) {
      const to = Math.min(final.number, from + catchUpBlocks - 1);
      const events = await this.#eventsIn({ from, to });
      this.#eventsSinceShown += events.count;
      if (to === final.number && !isTold()) break;
      const keys = await this.#borneOut(events.keys, final);
      const block = to === final.number ? final : await this.#registry.chain.block(to);
      await this.#note(block, [...keys.map(keyWrite), ...events.agencies.map(agencyWrite)]);
      for (const key of keys) this.#announced.set(formatHex(key.keyId), key);
      for (const agency of events.agencies) this.#agencies.set(agency.agency, agency);
    }
    if (!isTold()) this.#registry.rpc.distrust();
    return isTold();
  }

  /** The block after the last one that was read; further back when that one has gone, and with it what was shown. */
  async #nextBlock(latest: ChainBlock): Promise<number> {
    const first = this.#registry.pinned.keyRegistry.block;
    const cursor = this.#cursor;
    if (cursor === undefined) return first;
    if (cursor.number <= latest.number) {
      const block =
        cursor.number === latest.number ? latest : await this.#registry.chain.block(cursor.number);
      if (equalBytes(block.hash, cursor.hash)) return cursor.number + 1;
    }
    // Only where consensus is `none` can this be an accident: elsewhere validators have taken back what they sealed.
    this.#log.error({ block: cursor.number, hash: formatHex0x(cursor.hash) }, 'a final block has gone');
    this.#shown = undefined;
    return Math.max(first, cursor.number - stepBackBlocks + 1);
  }

  async #eventsIn(range: BlockRange): Promise<{ keys: Announcement[]; agencies: Agency[]; count: number }> {
    const keys: Announcement[] = [];
    const agencies = new Map<string, Agency>();
    let count = 0;
    for await (const event of this.#registry.keyEvents(range)) {
      count++;
      if (event.kind === 'other') continue;
      if (event.kind === 'added') {
        const announcement = await this.#judge(event);
        if (announcement !== undefined) keys.push(announcement);
      } else {
        const before = agencies.get(event.agency) ?? this.#agencies.get(event.agency);
        const {
          agency,
          name = before?.name ?? '',
          controller = before?.controller ?? '',
        } = { ...before, ...event };
        agencies.set(agency, { agency, name, controller });
      }
    }
    return { keys, agencies: [...agencies.values()], count };
  }

  async #judge(event: KeyAdded & Pick<PlacedKeyEvent, 'block'>): Promise<Announcement | undefined> {
    const { chain, pinned } = this.#registry;
    try {
      return await readAnnouncement(event, { chainId: chain.chainId, address: pinned.keyRegistry.address });
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof ProofError)) throw error;
      const { agency, keyId, block } = event;
      this.#log.warn({ agency, keyId: formatHex(keyId), block, reason: error.message }, 'ignored a key');
      return undefined;
    }
  }

  /** The announced keys that a final block's state holds as announced. Of the others, nothing is kept. */
  async #borneOut(keys: readonly Announcement[], final: FinalBlock): Promise<Announcement[]> {
    const proved = await this.#registry.keys(
      keys.map(({ keyId }) => keyId),
      final,
    );
    return keys.filter((announcement, i) => {
      const key = proved[i]?.key;
      return key !== undefined && isAnnounced(announcement, key);
    });
  }

  async #note(block: ChainBlock, writes: readonly Write[]): Promise<void> {
    this.#cursor = { number: block.number, hash: block.hash };
    // Reading a few blocks again after a restart is cheaper than a synced write for each block.
    const lag = block.number - (this.#noted?.number ?? -cursorLagBlocks);
    if (writes.length === 0 && lag >= 0 && lag < cursorLagBlocks) return;
    await this.#store.write([...writes, cursorWrite(this.#cursor)]);
    this.#noted = this.#cursor;
  }

  /** Reads the slots of all announced keys, in the newest and in the final state. */
  async #readKeys(latest: ChainBlock, final: FinalBlock): Promise<void> {
    const announced = [...this.#announced.values()];
    const keyIds = announced.map(({ keyId }) => keyId);
    const newest = await this.#registry.keys(keyIds, latest);
    const settled = isSame(final, latest) ? newest : await this.#registry.keys(keyIds, final);
    const keys = new Map<string, ViewedKey>();
    for (const [i, announcement] of announced.entries()) {
      const key = viewedKey(announcement, newest[i]?.key, settled[i]?.key);
      if (key !== undefined) keys.set(formatHex(key.keyId), key);
    }
    this.#tell(keys);
    this.#keys = keys;
  }

  #tell(keys: ReadonlyMap<string, ViewedKey>): void {
    for (const [keyId, key] of keys) {
      const before = this.#keys.get(keyId);
      const { agency, algorithm, validUntil, retired } = key;
      if (before === undefined) this.#log.info({ keyId, agency, algorithm, retired }, 'saw a key');
      else if (retired && !before.retired) this.#log.info({ keyId, agency, validUntil }, 'saw a key retired');
    }
    for (const [keyId, { agency }] of this.#keys) {
      if (!keys.has(keyId)) this.#log.error({ keyId, agency }, 'a registered key has gone from the state');
    }
  }
}

/** A block has one state, so one question is enough where the newest block is final. */
function isSame(a: ChainBlock, b: ChainBlock): boolean {
  return equalBytes(a.hash, b.hash);
}

/** What a view is made of. */
export type KeyViewParts = {
  readonly store: Store;
  readonly registry: Registry;
  readonly log: Logger;
  readonly now: () => number;
  /** Milliseconds that nobody can set (Hearing). */
  readonly elapsed?: (() => number) | undefined;
};

/** A key that both states hold as it was announced. The newest one says when it ends, since ends only come forward. */
function viewedKey(
  announcement: Announcement,
  newest: RegisteredKey | undefined,
  settled: RegisteredKey | undefined,
): ViewedKey | undefined {
  if (newest === undefined || settled === undefined) return undefined;
  if (!isAnnounced(announcement, newest) || !isAnnounced(announcement, settled)) return undefined;
  const { validUntil } = newest;
  return { ...announcement, validUntil, retired: validUntil < announcement.validUntil };
}
