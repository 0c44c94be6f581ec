/** The codes of what may be wrong with the log, with its anchors as they are listed, and between the log and the chain. */

import type { CodeFacts } from './findings.ts';

const askOperator = 'Ask the operator for an explanation; keep this report and its proofs.';
const stopRelying =
  'Rely on nothing after this place; keep the report, and compare it with what others were served.';

export const logCodes = {
  LOG_FOREIGN: {
    severity: 'fault',
    stands: 'served',
    means: 'The service says that it serves another log, chain or registry than the one in the trust file.',
    next: 'Check the address and the trust file; if both are right, the service answers for a log that is not this one.',
  },
  GENESIS_DIFFERS: {
    severity: 'fault',
    stands: 'served',
    means: 'The genesis document does not fit entry 0, the log id, the chain or the registry.',
    next: stopRelying,
  },
  CHECKPOINT_INVALID: {
    severity: 'fault',
    stands: 'served',
    means:
      'A checkpoint cannot be read, or no key of the trust file that is good for its size has signed it.',
    next: 'Get the newest trust file by the road that you trust; if the key is not in it, do not believe this service.',
  },
  CHECKPOINT_ROOT_DIFFERS: {
    severity: 'fault',
    stands: 'signed',
    means: 'The log signed a root that is not the root of the entries that it serves.',
    next: `${stopRelying} With a checkpoint of the same size and another root, this one proves a fork.`,
  },
  CHECKPOINT_FORKED: {
    severity: 'fault',
    stands: 'signed',
    means: 'The log key signed two checkpoints that cannot be of one append-only log.',
    next: 'Publish the evidence file (zegel verify accepts it as proof), and stop relying on the log.',
  },
  CHECKPOINT_BEHIND: {
    severity: 'fault',
    stands: 'signed',
    means:
      'The newest checkpoint covers fewer entries than the chain has anchored, or than the log had signed before.',
    next: 'Ask again later; if it stays so, the log was set back or hides entries that it signed for.',
  },
  BUNDLE_MALFORMED: {
    severity: 'fault',
    stands: 'served',
    means: 'An entry bundle is not as many entries as the signed size says.',
    next: stopRelying,
  },
  BUNDLE_DIFFERS: {
    severity: 'fault',
    stands: 'signed',
    means:
      'Entries are served that are not those under the signed or anchored root; the tiles lead to it, the bundle does not.',
    next: stopRelying,
  },
  TILE_DIFFERS: {
    severity: 'fault',
    stands: 'served',
    means: 'A tile is not what the entries below it give.',
    next: 'Proofs made from this tile fail; ask the operator to check the store (zegel fsck).',
  },
  TILE_MISSING: {
    severity: 'fault',
    stands: 'served',
    means: 'A tile that the signed size implies is not served.',
    next: 'Proofs that need this tile cannot be made; ask the operator to serve it.',
  },
  ENTRY_MALFORMED: {
    severity: 'fault',
    stands: 'served',
    means: 'An entry is not 74 bytes in their form, or a genesis entry stands elsewhere than at index 0.',
    next: askOperator,
  },
  ENTRY_TIME_DECREASED: {
    severity: 'fault',
    stands: 'signed',
    means: 'An entry is dated before the one that stands before it.',
    next: askOperator,
  },
  ENTRY_BACKDATED: {
    severity: 'fault',
    stands: 'signed',
    means: 'An entry is dated more than 30 s before the block whose hash stands before it in the log.',
    next: askOperator,
  },
  ENTRY_POSTDATED: {
    severity: 'fault',
    stands: 'signed',
    means: 'An entry is dated more than 30 s after the block that anchors it.',
    next: askOperator,
  },
  CHAIN_ENTRY_FOREIGN: {
    severity: 'fault',
    stands: 'signed',
    means:
      "A chain entry holds a hash that is no final block's on this chain, or one of before the deployment.",
    next: 'Times from this entry to the next one have no lower bound; ask the operator which chain it was.',
  },
  CHAIN_ENTRY_NOT_LATER: {
    severity: 'fault',
    stands: 'signed',
    means: "A chain entry's block is not later than that of the chain entry before it.",
    next: askOperator,
  },
  ANCHOR_ROOT_DIFFERS: {
    severity: 'fault',
    stands: 'signed',
    means: 'The chain holds another root for a size than the entries that the log serves.',
    next: stopRelying,
  },
  ANCHOR_OMITTED: {
    severity: 'fault',
    stands: 'served',
    means: 'An anchor that is on the chain is not in the list of the service.',
    next: askOperator,
  },
  ANCHOR_INVENTED: {
    severity: 'fault',
    stands: 'served',
    means: 'The service lists an anchor that the chain does not have.',
    next: 'Believe no receipt of this size; ask the operator which chain it was.',
  },
  ANCHOR_DIFFERS: {
    severity: 'fault',
    stands: 'served',
    means:
      'The service lists an anchor with another root, block, time, transaction or checkpoint than the chain and the log have.',
    next: askOperator,
  },
  ANCHOR_LIST_MALFORMED: {
    severity: 'fault',
    stands: 'served',
    means: 'The list of anchors is out of order, repeats itself, or does not end.',
    next: askOperator,
  },
  EVIDENCE_INVALID: {
    severity: 'fault',
    stands: 'served',
    means: 'The evidence of a listed anchor does not prove it, so that receipts of this size do not verify.',
    next: 'Ask the operator to gather the evidence anew.',
  },
  ANCHOR_GAP: {
    severity: 'notice',
    stands: 'signed',
    means: 'Records waited longer for their anchor than the limit of this audit.',
    next: 'Look at the anchor lag in the report; until their anchor, only the signed checkpoint held these records.',
  },
  KEY_UNKNOWN: {
    severity: 'fault',
    stands: 'signed',
    means: 'An entry stands under a key that the key registry does not have.',
    next: askOperator,
  },
  KEY_NOT_VALID: {
    severity: 'fault',
    stands: 'signed',
    means:
      'An entry is dated outside the validity of its key: the service took a record under a key not yet valid, or retired.',
    next: 'The receipt of this entry does not verify; the agency must submit the record anew under a good key.',
  },
  KEY_USED_AFTER_RETIREMENT: {
    severity: 'notice',
    stands: 'signed',
    means:
      'The service took a record under a key more than 120 s after its retirement was on the chain, though before its end.',
    next: 'Ask the operator why the service did not see the retirement; the record itself is good.',
  },
  KEY_RETIREMENT_WITHOUT_NOTICE: {
    severity: 'fault',
    stands: 'signed',
    means:
      'A key was retired to a time less than 120 s after the block of its retirement, or to a later time than it had.',
    next: 'The registry cannot have done this by its code: look at the findings about its code and storage.',
  },
  KEY_PROOF_INVALID: {
    severity: 'fault',
    stands: 'signed',
    means:
      'An entry stands under a key whose registration has no good proof of possession, or that is not a good key.',
    next: "The key's agency may not have it: ask the key registrar, and the agency, whose key it is.",
  },
  AGENCY_UNKNOWN: {
    severity: 'fault',
    stands: 'signed',
    means: 'An entry stands under a key of an agency that is not registered.',
    next: 'Ask the key registrar who stands behind this key.',
  },
} as const satisfies Record<string, CodeFacts>;
