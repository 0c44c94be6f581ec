/** The codes of what may be wrong with the records of an export. */

import type { CodeFacts } from './findings.ts';

const wrongRecord =
  'Ask the agency for its own copy; if that one is good, the export was changed on its way.';

export const recordCodes = {
  RECORD_MALFORMED: {
    severity: 'fault',
    stands: 'served',
    means: 'A line of the export is not a record in its form.',
    next: 'Export anew with zegel export, and audit that file.',
  },
  RECORD_FOREIGN: {
    severity: 'fault',
    stands: 'served',
    means: 'The entry of an exported record does not stand in the log at the index that the line names.',
    next: wrongRecord,
  },
  COMMITMENT_DIFFERS: {
    severity: 'fault',
    stands: 'signed',
    means: "Salt, event and statement of an exported record do not give the entry's commitment.",
    next: wrongRecord,
  },
  STATEMENT_INVALID: {
    severity: 'fault',
    stands: 'signed',
    means: "A statement is not in its form, or speaks for another key, algorithm or log than the entry's.",
    next: 'Show the record to its agency: the service took what it must refuse, or the export was changed.',
  },
  SIGNATURE_INVALID: {
    severity: 'fault',
    stands: 'signed',
    means: "A statement's signature does not verify under the key that the chain has for the entry.",
    next: 'Show the record to its agency: it did not sign this, and the service took it, or the export was changed.',
  },
  EVENT_INVALID: {
    severity: 'fault',
    stands: 'signed',
    means:
      'An event is not a CloudEvents object as the log takes them, or is of another kind than its entry.',
    next: 'Ask the operator why it was accepted.',
  },
  BATCH_DIFFERS: {
    severity: 'fault',
    stands: 'signed',
    means: 'Event, salt and path of a record do not lead to the root that its batch statement signs.',
    next: wrongRecord,
  },
  NATURAL_KEY_REPEATED: {
    severity: 'fault',
    stands: 'signed',
    means: 'Two entries hold events of one agency with the same source and id.',
    next: 'Ask the operator which of the two counts: the log promises that there is one.',
  },
} as const satisfies Record<string, CodeFacts>;
