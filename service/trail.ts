/**
 * The trail: for each read of what is not public an audit event, in the log before the answer is given.
 *
 * The operator is an agency, too. Its service key signs these events, and they come in as everybody's do: so they are anchored, have
 * receipts, and cannot be taken back. Without such a key, or when a read cannot be recorded, nothing is handed out.
 */

import type { KeyObject } from 'node:crypto';
import { equalBytes, formatBase64url, formatHex, utf8 } from '../merkle/bytes.ts';
import { type Entry, formatTime } from '../merkle/entry.ts';
import { ProofError } from '../merkle/errors.ts';
import { thumbprint } from '../merkle/jwk.ts';
import type { Bearer } from './bearers.ts';
import { keySigner, publicJwk, type StatementSigner, signStatement } from './client/signer.ts';
import { LedgerError } from './errors.ts';
import type { Intake } from './intake.ts';
import { faultOfKey, type KeyView } from './keys.ts';
import type { Ledger } from './ledger.ts';

/** What was read: one record, one receipt with its record, or how many records of a range of indexes (`to` exclusive). */
export type Act =
  | { readonly type: 'zegel.record.read' | 'zegel.receipt.read'; readonly leafHash: Uint8Array }
  | {
      readonly type: 'zegel.records.exported';
      readonly from: number;
      readonly to: number;
      readonly records: number;
    };

/** How long to wait before asking again, where nothing says it better: until somebody has looked at it. */
const retryAfterS = 60;

export class Trail {
  readonly #parts: TrailParts;
  readonly #keyId: Uint8Array | undefined;
  #made: StatementSigner | undefined;

  constructor(parts: TrailParts) {
    this.#parts = parts;
    this.#keyId = parts.privateKey === undefined ? undefined : thumbprint(publicJwk(parts.privateKey));
  }

  /**
   * Says that a read could be recorded now.
   * @throws {LedgerError} READING_OFF without a service key; SERVICE_KEY_UNUSABLE if it is not registered, or not good; CHAIN_SILENT, CLOCK_OFF
   */
  ready(): void {
    this.#signer();
  }

  /** Whether an entry is of this trail. Who reads that leaves no trace: else reading would write for ever. */
  isTrace({ kind, keyId }: Pick<Entry, 'kind' | 'keyId'>): boolean {
    return kind === 'audit' && this.#keyId !== undefined && equalBytes(keyId, this.#keyId);
  }

  /** Records a read: when this returns, it is in the log. @throws {LedgerError} READ_NOT_RECORDED, and those of `ready` */
  async record(act: Act, by: Bearer): Promise<void> {
    const signer = this.#signer();
    const { origin, intake, ledger, now, randomBytes } = this.#parts;
    const event = formatTrace(act, by, { origin, id: randomBytes(16), timeMs: now() });
    try {
      await ledger.submit(await intake.accept(await signStatement(event, origin, signer)));
    } catch (cause) {
      if (!(cause instanceof LedgerError)) throw cause;
      throw new LedgerError(
        'READ_NOT_RECORDED',
        `the read cannot be recorded, so nothing is given: ${cause.message}`,
        { cause, retryAfterS: cause.retryAfterS ?? retryAfterS },
      );
    }
  }

  /** Its key as the registry has it now: that also says by which of its two algorithms an RSA key signs. */
  #signer(): StatementSigner {
    const { privateKey, keys, now } = this.#parts;
    if (privateKey === undefined || this.#keyId === undefined)
      throw new LedgerError(
        'READING_OFF',
        'each read is recorded under a key of the operator, and none is set: the operator must set ZEGEL_SERVICE_KEY_FILE',
        { retryAfterS },
      );
    keys.ready();
    const key = keys.find(this.#keyId);
    const kid = formatBase64url(this.#keyId);
    if (key === undefined)
      throw unusable(kid, 'is not registered: the operator must register it with zegel key add');
    const fault = faultOfKey(key, now());
    if (fault !== undefined) throw unusable(kid, `cannot be used: ${fault}`);
    try {
      if (this.#made?.alg !== key.algorithm) this.#made = keySigner(privateKey, key.algorithm);
      return this.#made;
    } catch (error) {
      if (!(error instanceof ProofError)) throw error;
      throw unusable(kid, `cannot be used: ${error.message}`);
    }
  }
}

/** What a trail is made of. */
export type TrailParts = {
  /** The log's origin, which events name as their source. */
  readonly origin: string;
  /** The service key; undefined where the operator has set none. */
  readonly privateKey: KeyObject | undefined;
  readonly keys: Pick<KeyView, 'find' | 'ready'>;
  readonly intake: Pick<Intake, 'accept'>;
  readonly ledger: Pick<Ledger, 'submit'>;
  readonly now: () => number;
  readonly randomBytes: (lengthBytes: number) => Uint8Array;
};

/** The event of a read: who, what and when, and nothing of what was in it. */
function formatTrace(
  act: Act,
  { agency, keyId }: Bearer,
  { origin, id, timeMs }: { readonly origin: string; readonly id: Uint8Array; readonly timeMs: number },
): Uint8Array {
  const what =
    act.type === 'zegel.records.exported'
      ? { from: act.from, to: act.to, records: act.records }
      : { leafHash: formatHex(act.leafHash) };
  return utf8(
    JSON.stringify({
      specversion: '1.0',
      id: formatBase64url(new Uint8Array(id)),
      source: `urn:zegel:log:${origin}`,
      type: act.type,
      time: formatTime(timeMs),
      recordkind: 'audit',
      datacontenttype: 'application/json',
      data: { agency, key: formatBase64url(keyId), ...what },
    }),
  );
}

function unusable(kid: string, why: string): LedgerError {
  return new LedgerError('SERVICE_KEY_UNUSABLE', `the service key ${kid} ${why}`, { retryAfterS });
}
