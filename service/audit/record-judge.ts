/** Whether a record is what its entry and its agency's key say: DESIGN 3.5's steps `statement`, `commitment` and `batch`, in bulk. */

import { hash } from 'node:crypto';
import { formatBase64url, formatHex, parseUtf8, utf8 } from '../../merkle/bytes.ts';
import type { Entry } from '../../merkle/entry.ts';
import { FormatError, ProofError } from '../../merkle/errors.ts';
import { type Event, parseEvent } from '../../merkle/event.ts';
import { canonicalJwk, parseJwk, thumbprint } from '../../merkle/jwk.ts';
import type { BatchedEvent, ReceiptRecord } from '../../merkle/receipt.ts';
import { type Algorithm, algorithmName } from '../../merkle/signature.ts';
import { parseBatchPayload, parseStatement, type Statement } from '../../merkle/statement.ts';
import type { TrustedLog } from '../../merkle/trust.ts';
import { verifyInclusion } from '../../merkle/verify.ts';
import type { ChainView } from './chain-view.ts';
import type { recordCodes } from './record-codes.ts';
import { type ReadyKey, readyKey, verifyUnder } from './signatures.ts';

/** What is wrong with a record. The message names no content. */
export class RecordFault extends Error {
  override readonly name = 'RecordFault';
  readonly code: keyof typeof recordCodes;

  constructor(code: keyof typeof recordCodes, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** What a good record is known by: no other of the log has the same. */
export type NaturalKey = { readonly agency: string; readonly source: string; readonly id: string };

/** A key as the chain has it; without a chain, as the record has it. */
type SigningKey = {
  readonly ready: ReadyKey;
  /** RFC 7638's text. */
  readonly text: string;
  readonly algorithm: Algorithm | undefined;
  /** Its agency, or the key itself where nobody says whose it is. */
  readonly agency: string;
};

/** What a batch statement covers, and the path of the record that was found good last: its neighbour's is much the same. */
type Covered = { readonly root: Uint8Array; readonly size: number; last?: Climb };

/** A path from a leaf to the root, with the node that stands before each step, and where. */
type Climb = { readonly path: readonly Uint8Array[]; readonly steps: readonly Step[] };
type Step = { readonly node: Uint8Array; readonly at: number; readonly last: number };

/** A statement whose signature was found good, and what it covers if it is a batch statement; or why that cannot be read. */
type Verified = { readonly statement: Statement; readonly covers: Covered | RecordFault | undefined };

/** Statements that are kept: those of batches come again with each of their records. */
const statementsKept = 1024;

export class RecordJudge {
  readonly #log: TrustedLog;
  readonly #chain: ChainView | undefined;
  readonly #keys = new Map<string, SigningKey>();
  readonly #statements = new Map<string, Promise<Verified>>();
  readonly #headers = new Map<string, Pick<Statement, 'alg' | 'kid' | 'typ' | 'aud'>>();
  /** How many were verified. */
  signatures = 0;

  constructor(log: TrustedLog, chain: ChainView | undefined) {
    this.#log = log;
    this.#chain = chain;
  }

  /** Judges a record against its entry, which is of kind transaction or audit. @throws {RecordFault} */
  async judge(record: ReceiptRecord, entry: Entry): Promise<NaturalKey> {
    const key = this.#keyOf(record, entry);
    const { statement, covers } = await this.#verified(record, entry, key);
    const { batch } = record;
    const event = batch?.event ?? statement.payload;
    if (Buffer.compare(commitment(record, event), entry.commitment) !== 0)
      throw new RecordFault(
        'COMMITMENT_DIFFERS',
        "salt, event and statement do not give the entry's commitment",
      );
    if (covers instanceof RecordFault) throw covers;
    if (batch !== undefined && covers !== undefined) judgeBatch(batch, covers);
    const { source, id } = judgeEvent(event, entry);
    return { agency: key.agency, source, id };
  }

  #keyOf({ key }: ReceiptRecord, { keyId }: Entry): SigningKey {
    const id = formatHex(keyId);
    const text = canonicalJwk(key);
    const known = this.#keys.get(id) ?? this.#findKey(id, keyId, text);
    if (known.text !== text) throw new RecordFault('STATEMENT_INVALID', "its key is not the entry's");
    this.#keys.set(id, known);
    return known;
  }

  #findKey(id: string, keyId: Uint8Array, given: string): SigningKey {
    const registered = this.#chain?.key(keyId);
    const text = registered === undefined ? given : parseUtf8(registered.jwk);
    try {
      const jwk = parseJwk(utf8(text));
      if (formatHex(thumbprint(jwk)) !== id)
        throw new ProofError("the key's thumbprint is not the entry's key id");
      return {
        ready: readyKey(jwk),
        text,
        algorithm: registered && algorithmName(registered.algorithm),
        agency: registered?.agency ?? id,
      };
    } catch (error) {
      if (error instanceof FormatError || error instanceof ProofError)
        throw new RecordFault('STATEMENT_INVALID', error.message, error);
      throw error;
    }
  }

  async #verified({ statement, batch }: ReceiptRecord, entry: Entry, key: SigningKey): Promise<Verified> {
    // A statement says which key made it, so what was found of it holds for every record that has it.
    const known = this.#statements.get(statement);
    const verified = known ?? this.#verify(statement, entry, key);
    if (batch !== undefined && known === undefined) {
      this.#statements.set(statement, verified);
      verified.catch(() => undefined);
      const [oldest] = this.#statements.keys();
      if (this.#statements.size > statementsKept && oldest !== undefined) this.#statements.delete(oldest);
    }
    const found = await verified;
    if ((found.covers !== undefined) !== (batch !== undefined))
      throw new RecordFault(
        'STATEMENT_INVALID',
        `typ is ${found.statement.typ}, against what the record has`,
      );
    // Of another entry, it may be another key's.
    if (known !== undefined && found.statement.kid !== formatBase64url(entry.keyId))
      throw new RecordFault('STATEMENT_INVALID', "kid is not the entry's key id");
    return found;
  }

  /** A header comes again with every statement of a key: the strict reader judges each once, and the rest where it is not canonical. */
  #read(compact: string): Statement {
    const [header = '', payload = '', signature = '', ...more] = compact.split('.');
    const known = this.#headers.get(header);
    if (known !== undefined && more.length === 0 && signature !== '') {
      const bytes = {
        payload: Buffer.from(payload, 'base64url'),
        signature: Buffer.from(signature, 'base64url'),
      };
      if (
        bytes.payload.toString('base64url') === payload &&
        bytes.signature.toString('base64url') === signature
      )
        return { ...known, ...bytes, signingInput: Buffer.from(`${header}.${payload}`, 'latin1') };
    }
    const statement = atFault('STATEMENT_INVALID', () => parseStatement(compact));
    if (this.#headers.size >= statementsKept) this.#headers.clear();
    const { alg, kid, typ, aud } = statement;
    this.#headers.set(header, { alg, kid, typ, aud });
    return statement;
  }

  async #verify(compact: string, { keyId }: Entry, key: SigningKey): Promise<Verified> {
    const statement = this.#read(compact);
    const { origin } = this.#log;
    const wrong = (message: string) => new RecordFault('STATEMENT_INVALID', message);
    if (statement.kid !== formatBase64url(keyId)) throw wrong("kid is not the entry's key id");
    if (statement.aud !== origin) throw wrong('aud is another log');
    if (key.algorithm !== undefined && statement.alg !== key.algorithm)
      throw wrong(`alg is ${statement.alg}, the key is registered for ${key.algorithm}`);
    this.signatures++;
    try {
      await verifyUnder(key.ready, statement.alg, statement.signingInput, statement.signature);
    } catch (error) {
      if (error instanceof ProofError) throw new RecordFault('SIGNATURE_INVALID', error.message, error);
      throw error;
    }
    const isBatch = statement.typ === 'zegel-batch+jws';
    const covers = isBatch ? coveredBy(statement) : undefined;
    return { statement, covers };
  }
}

/** The same as `commitmentOf`, by OpenSSL. */
function commitment({ salt, statement }: ReceiptRecord, event: Uint8Array): Uint8Array {
  const parts = [salt, hash('sha256', event, 'buffer'), hash('sha256', statement, 'buffer')];
  return hash('sha256', Buffer.concat(parts), 'buffer');
}

function coveredBy({ payload }: Statement): Covered | RecordFault {
  try {
    return parseBatchPayload(payload);
  } catch (error) {
    if (error instanceof FormatError) return new RecordFault('BATCH_DIFFERS', placesOf(error), error);
    throw error;
  }
}

function judgeBatch({ event, salt, index, path }: BatchedEvent, covers: Covered): void {
  const { root, size } = covers;
  // RFC 9162's leaf over the salted event (DESIGN 3.1).
  const leafHash = hash('sha256', Buffer.concat([zeroByte, salt, event]), 'buffer');
  const climb = climbFrom(leafHash, index, path, covers);
  // Where OpenSSL does not come to the root, the core says what is wrong.
  if (climb === undefined)
    atFault('BATCH_DIFFERS', () => verifyInclusion({ index, size, leafHash, path, root }));
  else covers.last = climb;
}

const zeroByte = Buffer.of(0);
const pair = Buffer.alloc(1 + 32 + 32, 1);

/**
 * The way of a path that leads to the root (RFC 9162 section 2.1.3.2); undefined where it does not. From a node on that the path before
 * this one had in the same place, with the same hashes beside it, both are one. Sizes are below 2^31.
 */
function climbFrom(
  leafHash: Uint8Array,
  index: number,
  path: readonly Uint8Array[],
  { root, size, last: before }: Covered,
): Climb | undefined {
  if (index >= size) return undefined;
  const steps: Step[] = [];
  let [node, at, last] = [leafHash, index, size - 1];
  for (const [i, sibling] of path.entries()) {
    if (last === 0) return undefined;
    const step = { node, at, last };
    if (before !== undefined && goesOnAs(before, step, path, i))
      return { path, steps: [...steps, ...before.steps.slice(i)] };
    steps.push(step);
    const isRight = at % 2 === 1 || at === last;
    pair.set(isRight ? sibling : node, 1);
    pair.set(isRight ? node : sibling, 33);
    node = hash('sha256', pair, 'buffer');
    // The last node of a row that has no right neighbour rises until it is one itself.
    while (isRight && at % 2 === 0 && at !== 0) [at, last] = [at >> 1, last >> 1];
    [at, last] = [at >> 1, last >> 1];
  }
  return last === 0 && Buffer.compare(node, root) === 0 ? { path, steps } : undefined;
}

function goesOnAs(
  { steps, path: other }: Climb,
  { node, at, last }: Step,
  path: readonly Uint8Array[],
  i: number,
): boolean {
  const step = steps[i];
  if (step === undefined || step.at !== at || step.last !== last || other.length !== path.length)
    return false;
  if (Buffer.compare(step.node, node) !== 0) return false;
  return path.slice(i).every((hash, j) => Buffer.compare(hash, other[i + j] ?? noHash) === 0);
}

const noHash = new Uint8Array(0);

/** The log takes events as CloudEvents has them; how long they may be is each service's own setting. */
function judgeEvent(bytes: Uint8Array, entry: Entry): Event {
  let event: Event;
  try {
    event = parseEvent(bytes, { maxBytes: Number.MAX_SAFE_INTEGER });
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new RecordFault('EVENT_INVALID', `it has ${error.issues.length} faults as an event`, error);
  }
  if (event.recordkind !== entry.kind)
    throw new RecordFault(
      'EVENT_INVALID',
      `recordkind is ${event.recordkind}, the entry's kind ${entry.kind}`,
    );
  return event;
}

/** What is refused is a fault of that code. Of what is not in its form, only the places are told. */
function atFault<T>(code: RecordFault['code'], read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError) throw new RecordFault(code, placesOf(error), error);
    if (error instanceof ProofError) throw new RecordFault(code, error.message, error);
    throw error;
  }
}

function placesOf({ issues }: FormatError): string {
  const places = issues.slice(0, 5).map(({ place }) => place || 'its beginning');
  return `it is not in its form, at ${places.join(', ')}`;
}
