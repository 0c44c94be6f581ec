/** What `zegel verify` says of fork evidence (`merkle/fork.ts`): whether the log signed what no append-only log can have. */

import { formatHex } from '../merkle/bytes.ts';
import { FormatError, ProofError } from '../merkle/errors.ts';
import { type ProvedFork, parseFork, verifyFork } from '../merkle/fork.ts';
import type { SignedCheckpoint } from '../merkle/steps.ts';
import type { Trust } from '../merkle/trust.ts';

export type ForkVerdict = {
  readonly verdict: 'proves-fork' | 'does-not-prove-fork';
  /** The two that contradict each other; null where they do not. */
  readonly fork: null | readonly [ForkSide, ForkSide];
  readonly detail: string;
};

type ForkSide = {
  readonly origin: string;
  readonly size: number;
  /** Hexadecimal. */
  readonly root: string;
  /** The log key that signed, as notes name it. */
  readonly key: string;
};

/** Judges the bytes of a file that means to be fork evidence. */
export function judgeFork(bytes: Uint8Array, trust: Trust): ForkVerdict {
  let proved: ProvedFork;
  try {
    proved = verifyFork(parseFork(bytes), trust);
  } catch (error) {
    if (!(error instanceof FormatError || error instanceof ProofError)) throw error;
    return { verdict: 'does-not-prove-fork', fork: null, detail: error.message };
  }
  const [first, second] = [forkSide(proved.first), forkSide(proved.second)];
  const what =
    first.size === second.size
      ? `two roots for size ${first.size}`
      : `a root for size ${first.size} with which the tree that it signed for size ${second.size} does not begin`;
  const detail = `the log "${first.origin}" signed ${what}`;
  return { verdict: 'proves-fork', fork: [first, second], detail };
}

function forkSide({ checkpoint: { origin, size, root }, key: { key } }: SignedCheckpoint): ForkSide {
  return { origin, size, root: formatHex(root), key: `${key.name}+${formatHex(key.keyId)}` };
}

/** The verdict as a line for people. */
export function forkLine(file: string, { verdict, fork, detail }: ForkVerdict): string {
  const keys = fork === null ? '' : `, with ${[...new Set(fork.map(({ key }) => key))].join(' and ')}`;
  return `${file}: ${verdict}: ${detail}${keys}`;
}
