/**
 * Which tokens have been used: kept for as long as each could be used again, and not in more memory than is set aside for it.
 *
 * When that is full, a token is refused rather than another one forgotten. It is lost with the process, so tokens that were made
 * before the start are not taken (bearers.ts).
 */

import { formatHex } from '../merkle/bytes.ts';
import { LedgerError } from './errors.ts';
import { clockToleranceMs } from './hearing.ts';

/** How many used tokens are remembered at a time: of one key, so that one agency leaves room for the others, and in all. */
const spentMax = { perKey: 10_000, inAll: 100_000 };

/** What tells one token from every other, and when it ends (seconds since 1970). */
export type Spending = { readonly keyId: Uint8Array; readonly jti: string; readonly exp: number };

export class SpentTokens {
  readonly #most: typeof spentMax;
  /** The `jti` of each key's tokens, by the second in which they end: there are never many such seconds. */
  readonly #byEnd = new Map<number, Map<string, Set<string>>>();

  constructor(most = spentMax) {
    this.#most = most;
  }

  /**
   * Uses a token up, whose signature was verified and whose life holds `nowMs`.
   * @throws {LedgerError} TOKEN_USED; TOKENS_EXHAUSTED if too many are remembered, until some of them end
   */
  spend({ keyId, jti, exp }: Spending, nowMs: number): void {
    this.#forget(nowMs);
    const key = formatHex(keyId);
    const own = this.#setsOf(key);
    if (own.some(({ tokens }) => tokens.has(jti)))
      throw new LedgerError('TOKEN_USED', 'the token has been used: each is good for one request');
    requireRoom(own, this.#most.perKey, 'this key', nowMs);
    requireRoom(this.#setsOf(), this.#most.inAll, 'all keys', nowMs);

    const keys = this.#byEnd.get(exp) ?? new Map<string, Set<string>>();
    this.#byEnd.set(exp, keys.set(key, (keys.get(key) ?? new Set()).add(jti)));
  }

  /** The remembered tokens of one key, or of all. */
  #setsOf(key?: string): readonly Ending[] {
    const sets: Ending[] = [];
    for (const [exp, keys] of this.#byEnd) {
      const found = key === undefined ? [...keys.values()] : [keys.get(key)];
      for (const tokens of found) if (tokens !== undefined) sets.push({ exp, tokens });
    }
    return sets;
  }

  /** Not at once when they end: a clock that is put back a little must not bring them back. */
  #forget(nowMs: number): void {
    for (const exp of this.#byEnd.keys()) if (forgottenAtMs(exp) <= nowMs) this.#byEnd.delete(exp);
  }
}

type Ending = { readonly exp: number; readonly tokens: ReadonlySet<string> };

function forgottenAtMs(exp: number): number {
  return exp * 1000 + clockToleranceMs;
}

function requireRoom(sets: readonly Ending[], most: number, whose: string, nowMs: number): void {
  const count = sets.reduce((sum, { tokens }) => sum + tokens.size, 0);
  if (count < most) return;
  const first = sets.reduce((least, { exp }) => Math.min(least, exp), Number.POSITIVE_INFINITY);
  const retryAfterS = Math.max(1, Math.ceil((forgottenAtMs(first) - nowMs) / 1000));
  const why = `${count} used tokens of ${whose} are remembered, which is as many as there is room for`;
  throw new LedgerError('TOKENS_EXHAUSTED', why, { retryAfterS });
}
