/** The verdict: a sign, a word, one plain sentence, and what to do. */

import { type ComponentChild, h } from 'preact';
import type { Verification } from '../../merkle/verification.ts';
import { type Check, isOtherOriginal, verdictOf } from './check.ts';
import { visibleLine } from './event.ts';
import { sign } from './icons.ts';
import type { Judgement } from './judge.ts';
import type { Reason, Said } from './texts.ts';
import { shortMoment, type View } from './view.ts';

export function verdictOn(view: View, check: Check): ComponentChild {
  const { texts } = view;
  const verdict = verdictOf(check);
  const word = verdict === 'busy' ? texts.ways.busy : texts.verdicts[verdict];
  return h(
    'section',
    { class: `verdict ${verdict}`, ...dataOf(check) },
    sign(verdict),
    h(
      'div',
      null,
      h(
        'h1',
        { id: 'verdict', tabIndex: -1 },
        h('span', { class: 'word' }, word),
        verdict === 'busy' ? null : h('span', { class: 'sentence' }, sentenceOf(view, check)),
      ),
      check.name === null ? null : h('p', { class: 'name quiet' }, h('bdi', null, visibleLine(check.name))),
      ...adviceOn(view, check).map(text => h('p', { class: 'advice' }, text)),
      retryOn(view, check),
    ),
  );
}

/** Where a service was asked and nothing good came, it may be asked again. */
function retryOn({ texts, act }: View, { leaf, outcome }: Check): ComponentChild {
  if (leaf === null || outcome.kind !== 'unchecked') return null;
  const retry = () => act.takeText(leaf);
  return h('button', { type: 'button', class: 'button retry', onClick: retry }, texts.ways.retry);
}

/** The verdict in one sentence. */
export function sentenceOf({ texts, language }: View, check: Check): string {
  const { outcome } = check;
  if (outcome.kind === 'busy') return texts.ways.busy;
  if (outcome.kind === 'unchecked')
    return `${texts.couldNotCheck} ${firstAndRest(texts.reasons[outcome.reason])[0]}`;
  const { judgement } = outcome;
  const { verification, content } = judgement;
  const form = formOf(judgement);
  if (verification.verdict === 'does-not-match')
    return `${texts.doesNotMatch} ${texts.wrong[failedStep(check) ?? 'parse']}`;
  if (isOtherOriginal(check.original)) return `${texts.doesNotMatch} ${texts.wrong.original}`;
  if (verification.verdict === 'not-yet-anchored') return texts.pending[form];
  return texts.matches[form](saidOf(verification, content?.agencyName ?? null, language));
}

/** Whether a receipt is for a record, with or without it, or for an entry of the log's own. */
export function formOf({ content }: Judgement): 'record' | 'proofOnly' | 'own' {
  if (content === null || content.keyId === null) return 'own';
  return content.event === null ? 'proofOnly' : 'record';
}

/** What the sentences about a receipt are made of. */
export function saidOf({ facts }: Verification, agencyName: string | null, language: View['language']): Said {
  const id = facts?.agency ?? '';
  return {
    agency: agencyName === null ? id : `${visibleLine(agencyName)} (${id})`,
    date: facts?.blockTime === undefined ? '' : shortMoment(facts.blockTime, language),
  };
}

/** What a program that looks at the page can read of a check: a test, an assistant. */
export function dataOf(check: Check) {
  const { outcome } = check;
  return {
    'data-verdict': verdictOf(check),
    'data-step': failedStep(check),
    'data-ms': outcome.kind === 'judged' ? outcome.ms?.toFixed(1) : undefined,
  };
}

/** The step that did not hold. */
export function failedStep({ outcome }: Check) {
  if (outcome.kind !== 'judged') return undefined;
  return outcome.judgement.verification.steps.find(({ ok }) => ok === false)?.name;
}

function adviceOn(view: View, check: Check): readonly string[] {
  const { advice } = view.texts;
  const { outcome } = check;
  if (outcome.kind === 'busy') return [];
  if (outcome.kind === 'unchecked') {
    const [, ...rest] = firstAndRest(view.texts.reasons[outcome.reason]);
    return noReceipt.has(outcome.reason) ? rest : [...rest, advice.unchecked];
  }
  const { verdict, finality } = outcome.judgement.verification;
  if (verdict === 'does-not-match') return [advice.wrong, ...whereElse(advice, failedStep(check))];
  if (isOtherOriginal(check.original)) return [advice.original];
  if (verdict === 'not-yet-anchored') return waitingOn(view, check);
  return [
    ...(check.isCompleted ? [advice.completed] : []),
    ...(finality === 'unproved' ? [advice.development] : []),
  ];
}

/** What else than the receipt it may be, at the steps that rest on what the trust file says. */
function whereElse(advice: View['texts']['advice'], step: ReturnType<typeof failedStep>): readonly string[] {
  if (step === 'checkpoint') return [advice.otherLog, advice.olderTrust];
  return step === 'seals' || step === 'anchor' ? [advice.olderTrust] : [];
}

/** What is no receipt, and so there is none of which nothing would be said. */
const noReceipt: ReadonlySet<Reason> = new Set([
  'document',
  'event',
  'trust',
  'fork',
  'not-recognised',
  'no-receipts',
]);

/** A sentence, and what is to be said after it. */
function firstAndRest(text: string): readonly [string, ...string[]] {
  const [first = text, ...rest] = text.split(/(?<=\.) /);
  return rest.length === 0 ? [first] : [first, rest.join(' ')];
}

/** How much later than the interval says an anchor may come before one should wonder: a block must be made and become final. */
const graceMs = 30_000;

function waitingOn({ texts, language, settings, now }: View, { outcome, waiting }: Check): readonly string[] {
  const text = texts.waiting;
  if (waiting === null || outcome.kind !== 'judged') return [];
  const entered = Date.parse(outcome.judgement.verification.facts?.time ?? '');
  const expected = entered + (settings.anchorIntervalMs ?? Number.NaN) + graceMs;
  const when =
    waiting.last === 'no-service' || Number.isNaN(expected)
      ? text.unknown
      : expected < now
        ? text.late
        : text.expected(shortTime(expected, language));
  if (waiting.last === 'no-service') return [text.noService];
  const last = waiting.askedAt === null ? [] : [text.asked(shortTime(waiting.askedAt, language))];
  if (waiting.last === 'unreachable') return [when, [text.unreachable, ...last].join(' ')];
  if (waiting.last === 'not-found') return [when, [text.notFound, ...last].join(' ')];
  if (waiting.last === 'not-verified') return [when, [text.notVerified, ...last].join(' ')];
  return [when, [text.bySelf, ...last].join(' ')];
}

function shortTime(time: number, language: View['language']): string {
  return new Intl.DateTimeFormat(language, { timeStyle: 'medium' }).format(new Date(time));
}
