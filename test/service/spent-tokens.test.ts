import { describe, expect, it } from 'vitest';
import { LedgerError } from '../../service/errors.ts';
import { SpentTokens } from '../../service/spent-tokens.ts';

const [keyA, keyB] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
const nowMs = 1_000_000_000;
const exp = nowMs / 1000 + 300;

/** What a spending is refused with, and after how many seconds it may be tried again. */
function refusalOf(spend: () => void): readonly [string, number | undefined] | undefined {
  try {
    spend();
    return undefined;
  } catch (error) {
    if (error instanceof LedgerError) return [error.code, error.retryAfterS];
    throw error;
  }
}

describe('spend', () => {
  it('lets a token be used once', () => {
    const spent = new SpentTokens();
    spent.spend({ keyId: keyA, jti: 'a', exp }, nowMs);
    expect(refusalOf(() => spent.spend({ keyId: keyA, jti: 'a', exp }, nowMs))).toEqual([
      'TOKEN_USED',
      undefined,
    ]);
  });

  it('knows a token again whatever end it claims', () => {
    const spent = new SpentTokens();
    spent.spend({ keyId: keyA, jti: 'a', exp }, nowMs);
    expect(refusalOf(() => spent.spend({ keyId: keyA, jti: 'a', exp: exp - 7 }, nowMs))?.[0]).toBe(
      'TOKEN_USED',
    );
  });

  it("takes the same jti under another key for another token's", () => {
    const spent = new SpentTokens();
    spent.spend({ keyId: keyA, jti: 'a', exp }, nowMs);
    spent.spend({ keyId: keyB, jti: 'a', exp }, nowMs);
    spent.spend({ keyId: keyA, jti: 'b', exp }, nowMs);
  });

  it('remembers a token for its life, and then as long as a clock may be put back', () => {
    const spent = new SpentTokens();
    spent.spend({ keyId: keyA, jti: 'a', exp }, nowMs);
    const again = (atMs: number) => refusalOf(() => spent.spend({ keyId: keyA, jti: 'a', exp }, atMs))?.[0];
    expect(again(exp * 1000 - 1)).toBe('TOKEN_USED');
    expect(again(exp * 1000 + 29_999)).toBe('TOKEN_USED');
    expect(again(exp * 1000 + 30_000)).toBeUndefined();
  });

  it('refuses further tokens of a key when its part is full, until some of them end', () => {
    const spent = new SpentTokens({ perKey: 2, inAll: 100 });
    spent.spend({ keyId: keyA, jti: '1', exp: exp - 100 }, nowMs);
    spent.spend({ keyId: keyA, jti: '2', exp }, nowMs);
    expect(refusalOf(() => spent.spend({ keyId: keyA, jti: '3', exp }, nowMs))).toEqual([
      'TOKENS_EXHAUSTED',
      230,
    ]);
    // None was forgotten for it, and other keys have their own part.
    expect(refusalOf(() => spent.spend({ keyId: keyA, jti: '1', exp: exp - 100 }, nowMs))?.[0]).toBe(
      'TOKEN_USED',
    );
    spent.spend({ keyId: keyB, jti: '3', exp }, nowMs);
    spent.spend({ keyId: keyA, jti: '3', exp }, nowMs + 230_000);
  });

  it('refuses further tokens of every key when all of it is full', () => {
    const spent = new SpentTokens({ perKey: 2, inAll: 3 });
    for (const [keyId, jti] of [
      [keyA, '1'],
      [keyA, '2'],
      [keyB, '1'],
    ] as const)
      spent.spend({ keyId, jti, exp }, nowMs);
    expect(refusalOf(() => spent.spend({ keyId: keyB, jti: '2', exp }, nowMs))).toEqual([
      'TOKENS_EXHAUSTED',
      330,
    ]);
  });
});
