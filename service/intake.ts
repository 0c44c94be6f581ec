/** Intake: from the bytes that somebody sent to a submission that an agency's registered key has signed. */

import { parseBase64url, parseUtf8 } from '../merkle/bytes.ts';
import { FormatError, type Issue, ProofError } from '../merkle/errors.ts';
import { type Event, parseEvent } from '../merkle/event.ts';
import type { VerifySignature } from '../merkle/signature.ts';
import { parseStatement, type Statement } from '../merkle/statement.ts';
import { LedgerError } from './errors.ts';
import { faultOfKey, type KeyView, type ViewedKey } from './keys.ts';
import type { Submission } from './submission.ts';

/** The part of the key registry's view that intake asks. */
export type Keys = Pick<KeyView, 'find' | 'ready'>;

/** A statement as it was sent, and the key whose signature on it was verified. */
export type SignedStatement = { readonly text: string; readonly key: ViewedKey };

export class Intake {
  readonly #origin: string;
  readonly #keys: Keys;
  readonly #verify: VerifySignature;
  readonly #eventMaxBytes: number;

  constructor(parts: {
    /** The origin that statements must name as their audience. */
    readonly origin: string;
    readonly keys: Keys;
    readonly verify: VerifySignature;
    readonly eventMaxBytes: number;
  }) {
    this.#origin = parts.origin;
    this.#keys = parts.keys;
    this.#verify = parts.verify;
    this.#eventMaxBytes = parts.eventMaxBytes;
  }

  /** The longest statement whose event can be acceptable: its base64url, and room for a header and an RSA signature. */
  get statementMaxBytes(): number {
    return Math.ceil((this.#eventMaxBytes * 4) / 3) + 2_048;
  }

  /** Says that submissions are taken. @throws {LedgerError} with the reason why not, such as a chain that is silent */
  ready(): void {
    this.#keys.ready();
  }

  /**
   * Reads a statement over one event and verifies its signature. What costs nothing is asked first, the signature last.
   *
   * Whether the key is good for a *new* record is left to the submission's `admit`, which the ledger asks with the entry's own
   * time: an event that is recorded already is answered even when its key has been retired since.
   *
   * @throws {LedgerError} with every fault of the form, or the first reason why a well-formed statement is refused
   */
  async accept(compact: Uint8Array | string): Promise<Submission> {
    this.ready();
    const text = typeof compact === 'string' ? compact : wellFormed('', () => parseUtf8(compact));
    const statement = wellFormed('', () => parseStatement(text));
    this.requireAudience(statement);
    if (statement.typ !== 'zegel+jws')
      throw refusal([
        {
          place: 'header.typ',
          message: 'a batch statement goes to /v1/records/batch with its secret, want zegel+jws',
        },
      ]);
    const event = this.readEvent(statement.payload);
    const key = await this.signer(statement);
    return this.submission({ text, key }, event, statement.payload);
  }

  /** @throws {LedgerError} AUDIENCE_OTHER if the statement was made for another log */
  requireAudience(statement: Statement): void {
    if (statement.aud === this.#origin) return;
    throw new LedgerError(
      'AUDIENCE_OTHER',
      `the statement's aud is another log's origin, want ${this.#origin}`,
    );
  }

  /** Reads an event that is to be recorded. @throws {LedgerError} RECORD_MALFORMED with every fault and its place in the event */
  readEvent(bytes: Uint8Array): Event {
    return wellFormed('event', () => parseEvent(bytes, { maxBytes: this.#eventMaxBytes }));
  }

  /** The registered key that signed a statement. @throws {LedgerError} if none did */
  async signer(statement: Statement): Promise<ViewedKey> {
    const key = this.#keys.find(parseBase64url(statement.kid));
    if (key === undefined)
      throw new LedgerError('KEY_UNKNOWN', `no agency has registered the key ${statement.kid}`);
    if (key.algorithm !== statement.alg)
      throw new LedgerError(
        'KEY_ALGORITHM',
        `the statement's alg is ${statement.alg}, the key is registered for ${key.algorithm}`,
      );
    try {
      // It was found by its thumbprint, and is registered for the algorithm: what is left of `verifyStatement` is the signature.
      await this.#verify(statement.alg, key.jwk, statement.signingInput, statement.signature);
    } catch (error) {
      if (!(error instanceof ProofError)) throw error;
      const why = `the signature does not verify under the registered key${isDer(statement) ? inDer : ''}`;
      throw new LedgerError('SIGNATURE_INVALID', why);
    }
    return key;
  }

  /** What goes to the ledger for an event: it was read from `bytes`, and `signed` covers it. */
  submission(signed: SignedStatement, event: Event, bytes: Uint8Array): Submission {
    const { text, key } = signed;
    return {
      statement: text,
      key: key.jwk,
      keyId: key.keyId,
      agency: key.agency,
      source: event.source,
      id: event.id,
      kind: event.recordkind,
      event: bytes,
      admit: timeMs => {
        // Between the signature check and this moment the chain may have fallen silent and the key may have been retired.
        this.#keys.ready(timeMs);
        requireGood(this.#keys.find(key.keyId), timeMs);
      },
    };
  }
}

/** Most libraries give ECDSA signatures in DER, and who meets this for the first time looks everywhere else. */
const inDer = ': it looks like DER, want r‖s (RFC 7518 section 3.4)';

/** Whether a signature by ECDSA is, by its looks, in DER: a sequence over all of its bytes, and not of r‖s's length. */
function isDer({ alg, signature }: Statement): boolean {
  const lengthBytes = alg === 'ES384' ? 96 : 64;
  const [tag, length] = signature;
  return (
    alg.startsWith('ES') &&
    signature.length !== lengthBytes &&
    tag === 0x30 &&
    length === signature.length - 2
  );
}

function requireGood(key: ViewedKey | undefined, timeMs: number): void {
  const fault = faultOfKey(key, timeMs);
  if (fault !== undefined) throw new LedgerError('KEY_NOT_VALID', fault);
}

/** Runs a parser, whose faults become the caller's. Faults within the event get `event` in front of their place. */
export function wellFormed<T>(within: '' | 'event', parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw refusal(
      error.issues.map(({ place, message }) => ({
        place: [within, place].filter(part => part !== '').join('.'),
        message,
      })),
    );
  }
}

/** The refusal of what is not in its form. */
export function refusal(issues: readonly Issue[]): LedgerError {
  const faults = issues.length === 1 ? 'a fault' : `${issues.length} faults`;
  return new LedgerError('RECORD_MALFORMED', `the statement has ${faults}`, { issues });
}
