/** The verdict of an audit in words: whether all holds, why, and what to do now. */

import { chainCodes } from './chain-codes.ts';
import { type Finding, type FindingCode, findingCodes, severityOf } from './findings.ts';
import { inOrder, rankOf } from './order.ts';
import type { Outcome } from './outcome.ts';
import { recordCodes } from './record-codes.ts';
import { counted, grouped } from './words.ts';

export type Verdict = 'yes' | 'no' | 'could-not-check';

export type Judgement = {
  readonly verdict: Verdict;
  /** One sentence. */
  readonly sentence: string;
  readonly reason: string;
  readonly next: string;
};

/** A fault outweighs what could not be had: the one has been shown, the other says nothing. */
export function verdictOf(outcome: Outcome): Judgement {
  const { found, unchecked } = outcome;
  if (found.hasFault) return no(outcome);
  if (unchecked.length > 0) return couldNotCheck(outcome);
  return yes(outcome);
}

function no({ log, found, unchecked }: Outcome): Judgement {
  const faults = [...found.counts].filter(([code]) => severityOf(code) === 'fault');
  const total = faults.reduce((sum, [, count]) => sum + count, 0);
  const [worst] = faults.map(([code]) => code).sort((a, b) => rankOf(a) - rankOf(b));
  if (worst === undefined) throw new Error('a verdict of no has a fault');
  const first = found.kept.filter(({ code }) => code === worst).sort(inOrder)[0];
  const others =
    total === 1 ? '' : ` ${total} faults were found in all, under ${counted(faults.length, 'code')}.`;
  const open = unchecked.length === 0 ? '' : ` Besides, ${whatWasNotHad(unchecked)}.`;
  const { means, next } = findingCodes[worst];
  return {
    verdict: 'no',
    sentence: `${subjectOf(worst, log.origin)}${first === undefined ? '' : placeText(first)}.`,
    reason: `${means.replace(/\.$/, '')} (${worst}).${others}${open}`,
    next,
  };
}

/** Whose fault it is, as far as that is known: what a node or an export says is not yet the log's doing. */
function subjectOf(code: FindingCode, origin: string): string {
  const isServed = findingCodes[code].stands === 'served';
  if (isServed && code in chainCodes)
    return `The node shows a chain that does not fit, for the log ${origin}`;
  if (isServed && code in recordCodes) return `Something is wrong with an export of the log ${origin}`;
  return `Something is wrong with the log ${origin}`;
}

function couldNotCheck({ log, logView, chainView, unchecked }: Outcome): Judgement {
  const rest = logView === undefined && chainView === undefined ? '' : ' What could be looked at holds.';
  return {
    verdict: 'could-not-check',
    sentence: `The log ${log.origin} could not be audited whole; this says nothing against it.`,
    reason: `${capital(whatWasNotHad(unchecked))}.${rest}`,
    next: 'Audit again later, or ask another node or address for the same; if it stays so, ask the operator.',
  };
}

function yes({ log, logView, chainView, found, hasExport, earlier }: Outcome): Judgement {
  const size = grouped(logView?.size ?? 0);
  const reason = [
    `The tree of all ${size} entries has every root that the chain holds and the log has signed, and the contracts are what their recorded transactions made of them.`,
  ];
  if (chainView?.finality === 'unproved')
    reason.push('This chain has no validators, so that its blocks are final is on the word of its node.');
  if (hasExport) reason.push('The exported records are under good signatures.');
  const notices = [...found.counts].reduce((sum, [, count]) => sum + count, 0);
  const look = notices === 0 ? '' : `Look at the ${counted(notices, 'notice')} below. `;
  const seen =
    earlier === null ? '' : ` Entries before ${grouped(earlier.size)} were read by an earlier audit.`;
  return {
    verdict: 'yes',
    sentence: `Nothing is wrong with the log ${log.origin}.`,
    reason: reason.join(' ') + seen,
    next: `${look}Keep this report with its trust file; audit again when the log has grown.`,
  };
}

function whatWasNotHad(unchecked: Outcome['unchecked']): string {
  const [first] = unchecked;
  const others = unchecked.length > 1 ? `, and ${unchecked.length - 1} more` : '';
  return `${first?.message}${others}`;
}

function placeText({ place }: Finding): string {
  if (place.index !== undefined) return `, at entry ${place.index}`;
  if (place.size !== undefined) return `, at size ${place.size}`;
  if (place.contract !== undefined) return `, in its contract ${place.contract}`;
  return place.block === undefined ? '' : `, in block ${place.block}`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
