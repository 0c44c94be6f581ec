/** What an audit has looked at, part by part, and what it has not. */

import { missingFrom, type Outcome } from './outcome.ts';
import { counted, grouped } from './words.ts';

export type PartDone = {
  readonly name: 'log' | 'chain' | 'between' | 'records';
  /** `no` also where nobody asked for it. */
  readonly checked: 'whole' | 'no';
  /** What was done, or why it was not. */
  readonly says: string;
};

export function partsOf(outcome: Outcome): readonly PartDone[] {
  return [logPart(outcome), chainPart(outcome), betweenPart(outcome), recordsPart(outcome)];
}

function logPart({ logView, earlier }: Outcome): PartDone {
  if (logView === undefined) return { name: 'log', checked: 'no', says: 'The log could not be read.' };
  const { size, checkpoint } = logView;
  const read =
    earlier === null
      ? `All ${counted(size, 'entry', 'entries')} were read`
      : `The ${counted(size - earlier.size, 'entry', 'entries')} from ${grouped(earlier.size)} on were read`;
  const before = earlier === null ? '' : ' from where an earlier audit had left it';
  const root =
    checkpoint === null
      ? 'its newest checkpoint does not hold'
      : 'its root is that of the newest checkpoint, which the log has signed';
  return {
    name: 'log',
    checked: 'whole',
    says: `${read} over the public interface, each leaf hash computed, the tree rebuilt${before} and held against its tiles; ${root}. Times must not decrease, and each entry must have its form.`,
  };
}

function chainPart({ chainView }: Outcome): PartDone {
  if (chainView === undefined)
    return {
      name: 'chain',
      checked: 'no',
      says: 'The chain could not be read up to a final block that fits.',
    };
  const { counts, contracts, final } = chainView;
  const held = contracts.map(({ name }) => name).join(', ');
  return {
    name: 'chain',
    checked: 'whole',
    says: `${counted(counts.blocks, 'block')} up to number ${grouped(final.number)} were held against their hashes, and ${counted(counts.replayed, 'transaction')} of them replayed on a chain of our own; storage and code of ${held} were compared with what came out.`,
  };
}

function betweenPart({ logView, chainView }: Outcome): PartDone {
  if (logView === undefined || chainView === undefined)
    return {
      name: 'between',
      checked: 'no',
      says: 'Without both the log and the chain, anchors, times and keys were not held against each other.',
    };
  const { unanchored, anchors, unjudged } = logView;
  const waiting =
    unanchored.records === 0
      ? 'No record waits for an anchor.'
      : `${counted(unanchored.records, 'record')} wait for an anchor: that they are earlier than some block will be seen then.`;
  const open =
    unjudged === 0
      ? ''
      : ` ${counted(unjudged, 'entry', 'entries')} among those without an anchor rest on keys or blocks that the final block does not have yet: the next audit judges them.`;
  return {
    name: 'between',
    checked: 'whole',
    says: `${counted(anchors.length, 'anchor')}, the opening among them, were held against the roots of the log, each entry's time against the blocks around it, and each key against the key registry. ${waiting}${open}`,
  };
}

function recordsPart(outcome: Outcome): PartDone {
  const { recordsView, hasExport, logView, chainView } = outcome;
  if (!hasExport)
    return {
      name: 'records',
      checked: 'no',
      says: 'No export was given: statements, signatures and commitments were not looked at.',
    };
  if (recordsView === undefined)
    return {
      name: 'records',
      checked: 'no',
      says:
        logView === undefined || chainView === undefined
          ? 'The export could not be judged without the log and the chain.'
          : 'The export could not be judged to its end; faults that were found before are told.',
    };
  const { good, erased, signatures } = recordsView;
  return {
    name: 'records',
    checked: 'whole',
    says: `${counted(good, 'exported record')} hold: commitment, statement, batch root, natural key, and ${counted(signatures, 'signature')} under the key as the chain has it. ${counted(erased, 'record')} erased; ${counted(missingFrom(outcome), 'record')} of the log not in the export.`,
  };
}
