/** Several receipts at once: a line for each, the sum of them in one sentence. */

import { type ComponentChild, h } from 'preact';
import type { Verdict } from '../../merkle/verification.ts';
import { type Check, verdictOf } from './check.ts';
import { visibleLine } from './event.ts';
import { sign } from './icons.ts';
import { dataOf, sentenceOf } from './verdict.ts';
import { grouped, isMoment, type View } from './view.ts';

export function tableOn(view: View): ComponentChild {
  const { texts, checks, language } = view;
  const { table } = texts;
  const { list } = checks;
  const verdicts = list.map(verdictOf);
  const done = verdicts.filter(verdict => verdict !== 'busy');
  const isDone = done.length === list.length;
  const worst = isDone ? (worstFirst.find(verdict => done.includes(verdict)) ?? 'matches') : 'busy';
  const head = (name: string) => h('th', { scope: 'col' }, name);
  return h(
    'div',
    { class: 'many' },
    h(
      'section',
      { class: `verdict ${worst}`, 'data-verdict': worst },
      sign(worst),
      h(
        'h1',
        { id: 'verdict', tabIndex: -1 },
        h(
          'span',
          { class: 'sentence' },
          isDone
            ? table.summary(countsOf(done))
            : texts.ways.busyMany(grouped(done.length, language), grouped(list.length, language)),
        ),
      ),
    ),
    h(
      'table',
      { class: 'stacked' },
      h('caption', null, table.caption),
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          head(table.verdict),
          head(table.receipt),
          head(table.agency),
          head(table.when),
          head(table.what),
        ),
      ),
      h(
        'tbody',
        null,
        list.map((check, i) => row(view, check, i)),
      ),
    ),
  );
}

/** One that does not match is told before one that could not be checked. */
const worstFirst: readonly Verdict[] = ['does-not-match', 'could-not-check', 'not-yet-anchored'];

function row(view: View, check: Check, i: number): ComponentChild {
  const { texts, language, act } = view;
  const { table } = texts;
  const verdict = verdictOf(check);
  const judgement = check.outcome.kind === 'judged' ? check.outcome.judgement : null;
  const { agency, time, kind } = judgement?.verification.facts ?? {};
  const type = judgement?.content?.event?.lines.find(({ path }) => path.join() === 'type')?.value;
  const name = check.name === null ? table.unnamed(String(i + 1)) : visibleLine(check.name);
  const what =
    verdict === 'matches' && kind !== undefined
      ? visibleLine(type ?? texts.labels.kinds[kind])
      : sentenceOf(view, check);
  return h(
    'tr',
    { key: check.id, class: verdict, ...dataOf(check) },
    h(
      'td',
      { class: 'state' },
      sign(verdict),
      h('span', null, verdict === 'busy' ? texts.ways.busy : texts.verdicts[verdict]),
    ),
    h(
      'th',
      { scope: 'row' },
      h(
        'button',
        { type: 'button', class: 'plain', onClick: () => act.open(check.id) },
        h('span', { class: 'unseen' }, `${table.open} `),
        h('bdi', null, name),
      ),
    ),
    h(
      'td',
      { 'data-name': table.agency },
      agency === undefined ? null : visibleLine(judgement?.content?.agencyName ?? agency),
    ),
    h('td', { 'data-name': table.when, class: 'when' }, time === undefined ? null : whenOf(time, language)),
    h('td', { 'data-name': table.what }, what === null ? null : h('bdi', null, what)),
  );
}

function whenOf(time: string, language: View['language']): string {
  return !isMoment(time)
    ? time
    : new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time));
}

function countsOf(verdicts: readonly Verdict[]): Record<Verdict, number> {
  const counts = { matches: 0, 'does-not-match': 0, 'not-yet-anchored': 0, 'could-not-check': 0 };
  for (const verdict of verdicts) counts[verdict]++;
  return counts;
}
