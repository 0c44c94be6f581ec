/** Trust files, as commands read them, and what they keep by them. */

import type { Receipt } from '../merkle/receipt.ts';
import { fingerprint, parseTrust, type Trust } from '../merkle/trust.ts';
import { ReceiptError } from '../merkle/verification.ts';
import { judgeBy } from '../service/client/judge.ts';
import { verifyWithOpenSsl } from '../service/openssl.ts';
import { CommandError, readInput } from './command.ts';

/** A trust file, and the SHA-256 by which people compare it. */
export type Trusted = { readonly trust: Trust; readonly print: string };

/** Reads a trust file. @throws {CommandError} exit code 2 if it cannot be read, or is none */
export async function readTrust(path: string): Promise<Trusted> {
  const bytes = await readInput(path);
  try {
    return { trust: parseTrust(bytes), print: fingerprint(bytes) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : '';
    throw new CommandError(2, `${path} is not a trust file: ${why}`, cause);
  }
}

/** The trust file that a command was given, if it was. */
export async function readTrustFlag(path: unknown): Promise<Trust | undefined> {
  return typeof path === 'string' ? (await readTrust(path)).trust : undefined;
}

/** Whoever names a trust file gets no receipt that does not match it. @throws {CommandError} exit code 1 */
export async function requireMatch(receipt: Receipt, trust: Trust | undefined, out: string): Promise<void> {
  try {
    await judgeBy({ trust, verify: verifyWithOpenSsl })?.require(receipt);
  } catch (cause) {
    if (!(cause instanceof ReceiptError)) throw cause;
    const what = `what the service gives does not match the trust file: ${cause.message}`;
    throw new CommandError(1, `${what}. It was not written to ${out}`, cause);
  }
}

/** Whether a receipt matches the trust file; without one none is found wanting. */
export async function matches(receipt: Receipt, trust: Trust | undefined): Promise<boolean> {
  return (
    judgeBy({ trust, verify: verifyWithOpenSsl })
      ?.require(receipt)
      .then(
        () => true,
        error => {
          if (error instanceof ReceiptError) return false;
          throw error;
        },
      ) ?? true
  );
}

/** What to say beside "anchored": whose word that is. */
export function checkedNote(isAnchored: boolean, trust: Trust | undefined, place: string): string {
  if (!isAnchored) return '';
  if (trust !== undefined) return '; checked against the trust file';
  return `; as the service says: zegel verify ${place} --trust <file> is the check`;
}
