/**
 * Bearers: which agency asks for what is not public, by a token that one of its registered keys has signed.
 *
 * A token is used up by the request that it opens. What opens what is for its `typ` to say, so this file serves every kind of token.
 */

import { setTimeout } from 'node:timers/promises';
import { parseBase64url } from '../merkle/bytes.ts';
import { FormatError, ProofError } from '../merkle/errors.ts';
import type { VerifySignature } from '../merkle/signature.ts';
import { verifyStatement } from '../merkle/statement.ts';
import type { Token } from '../merkle/token.ts';
import { LedgerError, type LedgerErrorCode } from './errors.ts';
import { faultOfKey, type KeyView, type ViewedKey } from './keys.ts';
import { type Spending, SpentTokens } from './spent-tokens.ts';

/** Who has shown to be an agency, and the token that did it: not used up yet. */
export type Bearer = Spending & { readonly agency: string };

/**
 * How far a token may be dated ahead of our clock, milliseconds. It is then held until its time has come: used before, it could be
 * used again after a restart that falls before its date.
 */
const aheadMaxMs = 5_000;

/** Reads the token in an Authorization field (RFC 6750 section 2.1). @throws {LedgerError} TOKEN_MISSING, TOKEN_MALFORMED */
export function tokenIn<T extends Token>(authorization: string, parse: (compact: string) => T): T {
  if (authorization === '')
    throw new LedgerError('TOKEN_MISSING', 'this is for the agency that submitted it: send a token');
  const [, compact] = /^Bearer ([^ ]+)$/i.exec(authorization) ?? [];
  if (compact === undefined)
    throw new LedgerError('TOKEN_MALFORMED', 'the header Authorization is not "Bearer" and one token');
  try {
    return parse(compact);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const faults = error.issues.length === 1 ? 'a fault' : `${error.issues.length} faults`;
    throw new LedgerError('TOKEN_MALFORMED', `the token has ${faults}`, { issues: error.issues });
  }
}

export class Bearers {
  readonly #parts: BearersParts;
  readonly #spent = new SpentTokens();

  constructor(parts: BearersParts) {
    this.#parts = parts;
  }

  /**
   * Who has signed a token. What costs nothing is asked first, the signature last.
   * @throws {LedgerError} TOKEN_… with the first reason why it is refused; CHAIN_SILENT and CLOCK_OFF, for then nobody knows whether
   *   its key is still good
   */
  async verify({ jws, claims }: Token): Promise<Bearer> {
    const { origin, keys, verify, now } = this.#parts;
    keys.ready();
    if (claims.aud !== origin)
      throw new LedgerError('TOKEN_AUDIENCE', `the token's aud is another log's origin, want ${origin}`);
    this.#requireAge(claims);
    const keyId = parseBase64url(jws.kid);
    const key = keys.find(keyId);
    if (key === undefined)
      throw new LedgerError('TOKEN_KEY_UNKNOWN', `no agency has registered the key ${jws.kid}`);
    if (key.algorithm !== jws.alg)
      throw new LedgerError(
        'TOKEN_KEY_ALGORITHM',
        `the token's alg is ${jws.alg}, the key is registered for ${key.algorithm}`,
      );
    try {
      await verifyStatement(jws, key.jwk, verify);
    } catch (error) {
      if (!(error instanceof ProofError)) throw error;
      throw new LedgerError('TOKEN_SIGNATURE', 'the signature does not verify under the registered key');
    }

    const aheadMs = claims.iat * 1000 - now();
    if (aheadMs > 0) await this.#parts.delay(aheadMs);
    requireGood(keys.find(keyId), now());
    return { agency: key.agency, keyId, jti: claims.jti, exp: claims.exp };
  }

  /** Uses up the token that a bearer has shown. @throws {LedgerError} TOKEN_USED, TOKENS_EXHAUSTED */
  spend(bearer: Bearer): void {
    this.#spent.spend(bearer, this.#parts.now());
  }

  #requireAge({ iat, exp }: Token['claims']): void {
    const { now, startedAtMs } = this.#parts;
    const nowMs = now();
    if (exp * 1000 <= nowMs)
      throw refusal('TOKEN_EXPIRED', `the token ended ${seconds(nowMs - exp * 1000)} s ago`);
    if (iat * 1000 > nowMs + aheadMaxMs)
      throw refusal(
        'TOKEN_AHEAD',
        `the token is dated ${seconds(iat * 1000 - nowMs)} s ahead of the service's clock`,
      );
    // What was used before the start is forgotten, so nothing from before it is taken.
    if (iat * 1000 < startedAtMs)
      throw refusal('TOKEN_BEFORE_START', 'the token was made before the service started: make another one');
  }
}

/** What bearers are told by; times in milliseconds. */
export type BearersParts = {
  /** The origin that tokens must name as their audience. */
  readonly origin: string;
  readonly keys: Pick<KeyView, 'find' | 'ready'>;
  readonly verify: VerifySignature;
  readonly now: () => number;
  /** When this process began, and not before the log's last entry: tokens that were made earlier may have been used up in another one. */
  readonly startedAtMs: number;
  readonly delay: (ms: number) => Promise<unknown>;
};

/** Waits, on the machine's own clock. */
export const delay: BearersParts['delay'] = ms => setTimeout(ms);

function requireGood(key: ViewedKey | undefined, timeMs: number): void {
  const fault = faultOfKey(key, timeMs);
  if (fault !== undefined) throw refusal('TOKEN_KEY_NOT_VALID', fault);
}

function refusal(code: LedgerErrorCode, message: string): LedgerError {
  return new LedgerError(code, message);
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
