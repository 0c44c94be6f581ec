/** The codes of what may be wrong with the chain: its contracts, their storage and their events. */

import type { CodeFacts } from './findings.ts';

export const chainCodes = {
  CODE_DIFFERS: {
    severity: 'fault',
    stands: 'signed',
    means: 'A contract has other code than this repository compiles to, or than the replay deployed.',
    next: 'Rely on no anchor that is newer than the last audit without faults; ask governance who changed the code.',
  },
  STORAGE_DIFFERS: {
    severity: 'fault',
    stands: 'signed',
    means: "A contract's storage root is not the one that its recorded transactions lead to.",
    next: 'Ask which transactions or contracts are missing in the list; otherwise the storage was changed past the contracts.',
  },
} as const satisfies Record<string, CodeFacts>;
