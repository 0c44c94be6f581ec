/** What a refusal says, so that tests can assert its kind and its places and not only that something was thrown. */

import { FormatError, ProofError } from '../../merkle/errors.ts';

/** The faults of a FormatError as `place: message`. Anything else that is thrown, or nothing, fails the test. */
export function faultsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof FormatError) return error.issues.map(({ place, message }) => `${place}: ${message}`);
    throw error;
  }
  throw new Error('nothing was refused');
}

/** The message of a ProofError, thrown or rejected with. */
export async function disproof(verify: () => unknown): Promise<string> {
  try {
    await verify();
  } catch (error) {
    if (error instanceof ProofError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}
