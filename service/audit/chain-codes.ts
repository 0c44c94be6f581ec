/** The codes of what may be wrong with the chain: its blocks, its contracts, their storage and their events. */

import type { CodeFacts } from './findings.ts';

const askAnotherNode =
  'Ask another node for the same; if it answers the same, ask the operators of the chain, and keep this report.';
const relyOnNothing =
  'Rely on no anchor and no key that is newer than the last audit without faults; keep this report, and ask governance for an explanation.';

export const chainCodes = {
  CHAIN_OTHER: {
    severity: 'fault',
    stands: 'served',
    means: 'The node is on another chain than the one that the trust file names.',
    next: 'Check the address and the trust file; if both are right, the node answers for a chain that is not this one.',
  },
  HEADER_DIFFERS: {
    severity: 'fault',
    stands: 'served',
    means:
      "A block's header does not hash to the block's hash, or is another block's than the one asked for.",
    next: askAnotherNode,
  },
  HEADER_NOT_LINKED: {
    severity: 'fault',
    stands: 'served',
    means: 'A block does not name the block before it as its parent, so the blocks are not one chain.',
    next: askAnotherNode,
  },
  CHAIN_REWRITTEN: {
    severity: 'fault',
    stands: 'served',
    means: 'A block that an earlier audit saw as final is another one now.',
    next: 'Keep this report and the one before: a chain that takes back final blocks, or two chains of one name, need explaining.',
  },
  SEALS_TOO_FEW: {
    severity: 'fault',
    stands: 'served',
    means: 'None of the newest blocks is sealed by enough of the validators that the trust file pins.',
    next: 'Get the newest trust file by the road that you trust; if the validators are not in it, do not believe this node.',
  },
  TRANSACTIONS_DIFFER: {
    severity: 'fault',
    stands: 'served',
    means:
      'The transactions shown for a block are not those that its header commits to: one is hidden, invented, changed or moved.',
    next: askAnotherNode,
  },
  RECEIPTS_DIFFER: {
    severity: 'fault',
    stands: 'served',
    means: 'The outcomes and events shown for a block are not those that its header commits to.',
    next: askAnotherNode,
  },
  STATE_NOT_PROVED: {
    severity: 'fault',
    stands: 'served',
    means: "The node's proof of a contract does not lead to the state root in the final block's header.",
    next: askAnotherNode,
  },
  OUTCOME_DIFFERS: {
    severity: 'fault',
    stands: 'signed',
    means:
      'A transaction to our contracts ended otherwise on the chain than in the replay: with another status, or with other events.',
    next: relyOnNothing,
  },
  CONTRACT_NOT_CREATED: {
    severity: 'fault',
    stands: 'signed',
    means: 'A contract of the trust file was created by no transaction of the chain.',
    next: relyOnNothing,
  },
  CODE_CHANGED: {
    severity: 'fault',
    stands: 'signed',
    means: "A contract's code is not the code that its creation put there: it was replaced.",
    next: relyOnNothing,
  },
  CODE_NOT_OURS: {
    severity: 'fault',
    stands: 'signed',
    means: 'A contract was created with other code than this repository compiles to.',
    next: 'Audit with the version that the contracts were deployed from, or have the deployed code explained.',
  },
  CODE_NOT_TRUSTED: {
    severity: 'fault',
    stands: 'signed',
    means: 'A contract was created with other code than the trust file pins.',
    next: 'Get the newest trust file by the road that you trust, and compare its fingerprint.',
  },
  STORAGE_DIFFERS: {
    severity: 'fault',
    stands: 'signed',
    means: "A contract's storage is not what its recorded transactions lead to: it was changed past them.",
    next: relyOnNothing,
  },
  EVENTS_DIFFER: {
    severity: 'fault',
    stands: 'signed',
    means: 'In the replay, the events of a contract say something else than its storage.',
    next: 'The code does not do what its interface says: look at CODE_NOT_OURS, and have the deployed code explained.',
  },
  NOT_REPLAYED: {
    severity: 'notice',
    stands: 'signed',
    means:
      'A transaction that concerns our contracts cannot be replayed elsewhere; what it did is judged by the storage at the end alone.',
    next: 'Look at the transaction: it leans on a contract that is older than the chain, or on what differs from block to block.',
  },
  CHAIN_STANDS_STILL: {
    severity: 'notice',
    stands: 'served',
    means: "The chain's newest block is old: the chain stands still, or the node has fallen behind.",
    next: 'Ask another node for its newest block; if it has a newer one, audit with that node.',
  },
} as const satisfies Record<string, CodeFacts>;
