/** Intake of batches: from one signature over a Merkle root, a secret and many events to a submission for each event. */

import { setImmediate } from 'node:timers/promises';
import { equalBytes, formatBase64url, parseBase64url } from '../merkle/bytes.ts';
import { FormatError, type Issue } from '../merkle/errors.ts';
import { type JsonObject, JsonReader } from '../merkle/json.ts';
import { LeafTree } from '../merkle/prove.ts';
import { parseBatchPayload, parseStatement } from '../merkle/statement.ts';
import { appendLeaf, edgeRoot, emptyEdge } from '../merkle/tree.ts';
import { LedgerError } from './errors.ts';
import { batchSalt, HmacKey, leafHash, nodeHash } from './hashing.ts';
import { type Intake, refusal, type SignedStatement, wellFormed } from './intake.ts';
import type { Share } from './shares.ts';
import type { Submission } from './submission.ts';

/** How many bytes the events of one batch statement may have together, as they were sent (DESIGN 3.1). */
export const batchMaxBytes = 32 << 20;

/**
 * The longest batch statement: the longest header and payload and an RSA signature of 4096 bits have 1,200 characters. A header may have
 * white space, and each record of a batch keeps the whole statement.
 */
const statementMaxLength = 2_048;

/** What an event costs in memory beside its bytes: a batch may have 65,536 that are empty. */
export const eventOverheadBytes = 256;

/** The part of the intake of single statements that batches share. */
export type SharedIntake = Pick<Intake, 'ready' | 'requireAudience' | 'readEvent' | 'signer' | 'submission'>;

export class BatchIntake {
  readonly #intake: SharedIntake;
  readonly #trees = new Turns();

  constructor(intake: SharedIntake) {
    this.#intake = intake;
  }

  /**
   * Begins a batch, from a line's members `statement` and `secret`. When only its size can be read, it is a batch that is refused
   * already: its events must still be told from what follows them.
   *
   * @param share what its events are held in
   * @throws {LedgerError} RECORD_MALFORMED if the size cannot be read
   */
  begin(members: JsonObject, share: Share): Batch {
    const text = members.get('statement');
    const announced = sizeIn(text);
    const opening = () => this.#open(members);
    if (announced !== undefined)
      return new Batch({ ...announced, intake: this.#intake, trees: this.#trees, share, opening });

    wellFormed('', () => readOpening(members));
    throw refusal([
      { place: 'payload', message: 'has no size, so it is unknown which lines are its events' },
    ]);
  }

  async #open(members: JsonObject): Promise<Opened> {
    this.#intake.ready();
    const { text, secret, statement } = wellFormed('', () => readOpening(members));
    this.#intake.requireAudience(statement);
    return { text, key: await this.#intake.signer(statement), secret };
  }
}

/** A batch statement whose signature was verified, and the secret that its salts are made of. */
type Opened = SignedStatement & { readonly secret: Uint8Array };

type SaltedLeaves = { readonly salts: Uint8Array; readonly hashes: Uint8Array; readonly root: Uint8Array };

/** A tree over a batch's events, and the salt of each. */
type SaltedTree = { readonly tree: BatchTree; readonly salts: Uint8Array };

/** One batch while its events arrive and are submitted. */
export class Batch {
  /** How many events it has, as its statement says. */
  readonly size: number;

  readonly #root: Uint8Array;
  readonly #intake: SharedIntake;
  readonly #trees: Turns;
  readonly #share: Share;
  readonly #opened: Promise<Opened>;
  readonly #events: Uint8Array[] = [];
  #bytes = 0;
  #heldBytes = 0;
  #refusal: unknown;
  #verified: (SaltedTree & { readonly signed: Opened }) | undefined;

  constructor(parts: {
    readonly root: Uint8Array;
    readonly size: number;
    readonly intake: SharedIntake;
    readonly trees: Turns;
    readonly share: Share;
    readonly opening: () => Promise<Opened>;
  }) {
    this.size = parts.size;
    this.#root = parts.root;
    this.#intake = parts.intake;
    this.#trees = parts.trees;
    this.#share = parts.share;
    this.#opened = parts.opening();
    this.#opened.catch((error: unknown) => this.refuse(error));
  }

  /** Waits until it is known whether a registered key signed it: nothing is held for anybody else. */
  async opened(): Promise<void> {
    await Promise.allSettled([this.#opened]);
  }

  /** How long the next event may be; 0 once the batch is refused, for then nothing of it is kept. */
  get roomBytes(): number {
    return this.#refusal === undefined ? batchMaxBytes - this.#bytes : 0;
  }

  /** Refuses the batch whole. The first reason stays. */
  refuse(reason: unknown): void {
    this.#refusal ??= reason;
    this.release();
  }

  /**
   * Asks for room for so many more bytes of an event, before they are held: also of one whose end has not come, for whoever has seen
   * a receipt can begin its batch again. False, and the batch refused, where its share has no room.
   */
  hold(bytes: number): boolean {
    if (!this.#take(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  #take(bytes: number): boolean {
    if (this.#refusal !== undefined) return false;
    if (this.#share.take(bytes)) {
      this.#heldBytes += bytes;
      return true;
    }
    this.refuse(
      new LedgerError('LOG_BUSY', 'the batches under way leave no room for this one', { retryAfterS: 5 }),
    );
    return false;
  }

  /** Takes the next event, for which there was room, or undefined for one that is longer. */
  add(event: Uint8Array | undefined): void {
    if (this.#refusal !== undefined) return;
    if (event === undefined) {
      this.refuse(
        new LedgerError(
          'BODY_TOO_LARGE',
          `the events of the batch have more than ${batchMaxBytes} bytes together`,
        ),
      );
    } else if (this.#take(eventOverheadBytes)) {
      this.#events.push(event);
    }
  }

  /**
   * Verifies, once all events are there, that the statement is signed and that its root is that of the events.
   * @throws {LedgerError} for the batch as a whole
   */
  async verify(): Promise<void> {
    const signed = await this.#opened;
    if (this.#refusal !== undefined) throw this.#refusal;
    if (this.#events.length !== this.size)
      throw refusal([
        { place: 'events', message: `the upload ends after ${this.#events.length} of ${this.size}` },
      ]);

    const { tree, salts } = await this.#trees.inTurn(async () => {
      // The root alone takes neither the time nor the memory of a tree, which is made for none but the signer's own events.
      const { salts, hashes, root } = await saltedLeaves(this.#events, signed.secret);
      if (!equalBytes(root, this.#root)) throw refusal(this.#misfits(root));
      return { tree: await treeOf(hashes), salts };
    });
    // Two ways to one root: paths of another tree would be kept for ever.
    if (!equalBytes(tree.root, this.#root))
      throw new Error('the tree of a batch has another root than its leaves');
    this.#verified = { tree, salts, signed };
  }

  /** The submission of one event of a verified batch. @throws {LedgerError} RECORD_MALFORMED if it is not one that can be recorded */
  submission(index: number): Submission {
    const event = this.#events[index];
    if (this.#verified === undefined || event === undefined)
      throw new RangeError(`no verified event ${index} in a batch of ${this.size}`);
    if (event.includes(carriageReturn)) throw refusal([{ place: 'event', message: carriageReturnFault }]);
    const { tree, salts, signed } = this.#verified;
    const submission = this.#intake.submission(signed, this.#intake.readEvent(event), event);
    return { ...submission, batch: { salt: hashAt(salts, index), index, path: tree.path(index) } };
  }

  /** The length of all its events, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The length of an event, in bytes. */
  lengthBytes(index: number): number {
    return this.#events[index]?.length ?? 0;
  }

  /** Lets its events go. */
  release(): void {
    this.#share.give(this.#heldBytes);
    this.#heldBytes = 0;
    this.#bytes = 0;
    this.#events.length = 0;
    this.#verified = undefined;
  }

  /** Why the root may not fit: most often because something on the way has changed the ends of the lines. */
  #misfits(root: Uint8Array): readonly Issue[] {
    const wanted = formatBase64url(this.#root);
    const issues = [
      { place: 'payload.root', message: `is ${wanted}, the salted events give ${formatBase64url(root)}` },
    ];
    const first = this.#events.findIndex(event => event.includes(carriageReturn));
    if (first >= 0) issues.push({ place: `events[${first}]`, message: carriageReturnFault });
    return issues;
  }
}

const carriageReturn = 0x0d;
const carriageReturnFault = 'has a carriage return; lines end in a line feed alone';

/** Work that takes much memory and no waiting, one after another: at the same time it would be no faster. */
class Turns {
  #turn: Promise<unknown> = Promise.resolve();

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

/** Reads all that a batch's first line has. @throws {FormatError} naming every fault */
function readOpening(members: JsonObject) {
  const reader = new JsonReader();
  reader.object(members, '', ['statement', 'secret']);
  const text = reader.string(members.get('statement'), 'statement');
  const secret = reader.bytes(members.get('secret'), 'secret', 32);
  if (text.length > statementMaxLength)
    reader.fail('statement', `has ${text.length} characters, want at most ${statementMaxLength}`);
  const statement = text === '' ? undefined : reader.parse('', () => parseStatement(text), undefined);
  if (statement?.typ === 'zegel+jws')
    reader.fail('header.typ', 'a statement over one event has no secret, want zegel-batch+jws');
  else if (statement !== undefined) reader.parse('', () => parseBatchPayload(statement.payload), undefined);
  else if (text === '') reader.fail('statement', 'is empty');
  reader.finish(undefined);
  if (statement === undefined) throw FormatError.at('statement', 'is empty');
  return { text, secret, statement };
}

/** The root and size in a batch statement's payload, whatever else may be wrong with it. */
function sizeIn(text: unknown): { readonly root: Uint8Array; readonly size: number } | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return parseBatchPayload(parseBase64url(text.split('.', 2)[1] ?? ''));
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** The salt and the leaf hash of each event, 32 bytes each, one after another, and the root over them. */
async function saltedLeaves(events: readonly Uint8Array[], secret: Uint8Array): Promise<SaltedLeaves> {
  const key = new HmacKey(secret);
  const [salts, hashes] = [new Uint8Array(32 * events.length), new Uint8Array(32 * events.length)];
  let edge = emptyEdge;
  for (const [i, event] of events.entries()) {
    const salt = batchSalt(key, i);
    const hash = leafHash(salt, event);
    salts.set(salt, 32 * i);
    hashes.set(hash, 32 * i);
    edge = appendLeaf(edge, hash, nodeHash);
    // The largest batches take a second: others have their turn in between.
    if (i % subtreeWidth === subtreeWidth - 1) await setImmediate();
  }
  return { salts, hashes, root: edgeRoot(edge) };
}

async function treeOf(hashes: Uint8Array): Promise<BatchTree> {
  const size = hashes.length / 32;
  const subtrees: LeafTree[] = [];
  for (let from = 0; from < size; from += subtreeWidth) {
    const width = Math.min(subtreeWidth, size - from);
    subtrees.push(new LeafTree(Array.from({ length: width }, (_, i) => hashAt(hashes, from + i))));
    await setImmediate();
  }
  return new BatchTree(subtrees);
}

function hashAt(hashes: Uint8Array, index: number): Uint8Array {
  return hashes.slice(32 * index, 32 * (index + 1));
}

/** Leaves of one subtree: a power of two, so that subtrees and the tree over their roots together have RFC 9162's shape. */
const subtreeWidth = 256;

/** The tree of a batch, made of subtrees so that nobody waits while all of it is made. */
class BatchTree {
  readonly #subtrees: readonly LeafTree[];
  readonly #top: LeafTree;

  /** @param subtrees all but the last over `subtreeWidth` leaves */
  constructor(subtrees: readonly LeafTree[]) {
    this.#subtrees = subtrees;
    this.#top = new LeafTree(subtrees.map(({ root }) => root));
  }

  get root(): Uint8Array {
    return this.#top.root;
  }

  path(index: number): readonly Uint8Array[] {
    const at = Math.floor(index / subtreeWidth);
    const within = this.#subtrees[at]?.path(index % subtreeWidth) ?? [];
    return [...within, ...this.#top.path(at)];
  }
}
