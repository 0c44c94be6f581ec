/** The document or the event itself, laid beside its receipt. */

import { type ComponentChild, h } from 'preact';
import type { Check } from './check.ts';
import { isOther } from './comparison.ts';
import { visibleLine } from './event.ts';
import { nameOf } from './facts.ts';
import type { View } from './view.ts';
import { chooser } from './ways.ts';

export function originalOn(view: View, check: Check): ComponentChild | null {
  const { outcome, original } = check;
  const { texts, act } = view;
  if (outcome.kind !== 'judged' || outcome.judgement.content === null) return null;
  // Without the event there is nothing that a file could be compared with.
  if (outcome.judgement.content.event === null && original === null) return null;
  return h(
    'section',
    { class: 'original', 'aria-labelledby': 'original' },
    h('h2', { id: 'original' }, original === null ? texts.original.heading : texts.original.beside),
    original === null
      ? h('p', null, texts.original.lead)
      : [
          h('p', { class: 'name quiet' }, h('bdi', null, visibleLine(original.name))),
          h(
            'p',
            {
              class: `found ${toneOf(original.found)}`,
              'data-found': kindOf(original.found),
              role: 'status',
            },
            wordsOn(view, original.found),
          ),
        ],
    chooser(texts.original.choose, false, ([file]) => file !== undefined && act.compare(check.id, file)),
  );
}

type Found = NonNullable<Check['original']>['found'];

function wordsOn({ texts }: View, found: Found): string {
  if (found === 'busy') return texts.original.busy;
  if (found === 'unreadable') return texts.original.unreadable;
  return found.kind === 'document'
    ? texts.original.document(found.path.join() === 'data,sha256' ? null : visibleLine(nameOf(found.path)))
    : texts.original.found[found.kind];
}

function kindOf(found: Found): string {
  return typeof found === 'string' ? found : found.kind;
}

function toneOf(found: Found): 'good' | 'bad' | 'open' {
  if (typeof found === 'string' || found.kind === 'no-event' || found.kind === 'no-fingerprint')
    return 'open';
  return isOther(found) ? 'bad' : 'good';
}
