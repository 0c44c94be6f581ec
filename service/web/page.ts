/** The whole page: the question, or its answer, and under it what the answer rests on. */

import { type ComponentChild, h } from 'preact';
import { isOtherOriginal, verdictOf } from './check.ts';
import { visibleLine } from './event.ts';
import { factsOn } from './facts.ts';
import { textsIn } from './languages.ts';
import { limitsOn } from './limits.ts';
import { originalOn } from './original.ts';
import { selfOn } from './self.ts';
import { stepsOn } from './steps.ts';
import { tableOn } from './table.ts';
import { trustOn } from './trust.ts';
import { verdictOn } from './verdict.ts';
import type { View } from './view.ts';
import { waysIn, waysOn } from './ways.ts';

export function page(view: View): ComponentChild {
  const { texts } = view;
  return h(
    'div',
    { class: `page ${view.isDragging ? 'dragging' : ''}` },
    h('a', { class: 'skip', href: '#main', onClick: view.act.skip }, texts.skip),
    h('header', null, wordmark(view), languagesOn(view)),
    h(
      'main',
      { id: 'main', tabIndex: -1 },
      texts.translation === null ? null : h('p', { class: 'translation quiet' }, texts.translation),
      ...mainOf(view),
    ),
    h('footer', { class: 'quiet' }, texts.foot),
    h('p', { class: 'unseen', role: 'status', 'aria-live': 'polite' }, spokenIn(view)),
  );
}

function mainOf(view: View): (ComponentChild | null)[] {
  const { texts, checks, opened, act } = view;
  const { list, loose } = checks;
  if (list.length === 0)
    return [
      h('h1', { key: 'question', class: 'question' }, texts.question),
      h('p', { key: 'lead', class: 'lead' }, texts.lead),
      waysIn(view),
      trustOn(view),
      selfOn(view, null),
    ];
  const looseNote =
    loose.length === 0 || list.every(({ receipt }) => receipt === null)
      ? null
      : h(
          'p',
          { class: 'loose' },
          h('bdi', null, texts.original.loose(loose.map(({ name }) => visibleLine(name)).join(', '))),
        );
  const check = list.length === 1 ? list[0] : list.find(({ id }) => id === opened);
  if (check === undefined) return [tableOn(view), looseNote, trustOn(view), selfOn(view, null), waysOn(view)];
  const isOther = isOtherOriginal(check.original);
  const isWanted = check.receipt === null && check.outcome.kind === 'unchecked';
  return [
    list.length === 1
      ? null
      : h(
          'p',
          null,
          h(
            'button',
            { type: 'button', class: 'plain', onClick: () => act.open(null) },
            `‹ ${texts.table.back}`,
          ),
        ),
    verdictOn(view, check),
    // Without a receipt there is nothing to read: what is wanted is one.
    isWanted ? waysOn(view, true) : null,
    looseNote,
    // What came of a comparison stands under the verdict, before what the receipt says.
    check.original === null ? null : originalOn(view, check),
    factsOn(view, check),
    check.original === null ? originalOn(view, check) : null,
    isOther ? null : limitsOn(view, check),
    stepsOn(view, check),
    trustOn(view),
    selfOn(view, check),
    isWanted ? null : waysOn(view),
  ];
}

/** What a screen reader is told without being asked: that work is under way, and what changed by itself. */
function spokenIn({ texts, checks }: View): string {
  const { list } = checks;
  if (list.some(check => verdictOf(check) === 'busy')) return texts.ways.busy;
  return list.some(({ isCompleted }) => isCompleted)
    ? `${texts.verdicts.matches}. ${texts.advice.completed}`
    : '';
}

function languagesOn({ texts, language, settings, act }: View): ComponentChild | null {
  if (settings.languages.length < 2) return null;
  return h(
    'nav',
    { 'aria-label': texts.languages },
    h(
      'ul',
      { class: 'languages' },
      settings.languages.map(other =>
        h(
          'li',
          { key: other },
          h(
            'button',
            {
              type: 'button',
              class: 'plain',
              lang: other,
              'aria-current': other === language ? 'true' : undefined,
              onClick: () => act.speak(other),
            },
            textsIn(other).language,
          ),
        ),
      ),
    ),
  );
}

/** Leads home, where there is one: a file on a disk has none. */
function wordmark({ canBeSaved }: View): ComponentChild {
  const sign = h(
    'svg',
    { viewBox: '0 0 24 24', 'aria-hidden': 'true', focusable: 'false' },
    h('circle', { cx: 12, cy: 12, r: 10.5 }),
    h('path', { d: 'M7.5 8h9l-9 8h9' }),
  );
  return h(
    'p',
    null,
    canBeSaved
      ? h('a', { class: 'wordmark', href: './' }, sign, 'Zegel')
      : h('span', { class: 'wordmark' }, sign, 'Zegel'),
  );
}
