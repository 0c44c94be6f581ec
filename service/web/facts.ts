/** Who, what and when: what a receipt proves, and beside it what is merely said, so marked. */

import { type ComponentChild, type ComponentChildren, h } from 'preact';
import type { Check } from './check.ts';
import { type SignedEvent, visible, visibleLine } from './event.ts';
import type { Content, Judgement } from './judge.ts';
import { grouped, isMoment, moment, type View } from './view.ts';

export function factsOn(view: View, check: Check): ComponentChild | null {
  const { outcome } = check;
  if (outcome.kind !== 'judged' || outcome.judgement.content === null) return null;
  const { judgement } = outcome;
  const { texts } = view;
  const column = (name: string, title: string, children: ComponentChildren) =>
    h('section', { class: name, 'aria-labelledby': name }, h('h2', { id: name }, title), children);
  return h(
    'div',
    { class: 'facts' },
    column('who', texts.who, whoIn(view, judgement, outcome.judgement.content)),
    column('when', texts.when, whenIn(view, judgement, outcome.judgement.content)),
    column('what', texts.what, whatIn(view, judgement, outcome.judgement.content)),
  );
}

/** A label with what is proved or said, and a word on it. Nothing where there is nothing. */
function pair(label: string, value: ComponentChildren, note?: string): ComponentChild | null {
  if (value === null || value === undefined) return null;
  return h(
    'div',
    null,
    h('dt', null, label),
    h('dd', null, value),
    note === undefined ? null : h('dd', { class: 'note' }, note),
  );
}

/** A stranger's text, which may be in any direction of writing. */
function foreign(text: string): ComponentChild {
  return h('bdi', null, visibleLine(text));
}

function whoIn(
  { texts }: View,
  { verification }: Judgement,
  { agencyName, keyId, origin }: Content,
): ComponentChild {
  const { labels } = texts;
  const { agency, algorithm } = verification.facts ?? {};
  const key =
    keyId === null ? null : h('code', null, algorithm === undefined ? keyId : `${algorithm} ${keyId}`);
  const name =
    agency === undefined
      ? labels.unproved
      : h(
          'span',
          { class: 'strong' },
          agencyName === null ? agency : [foreign(agencyName), ' ', h('code', null, agency)],
        );
  return h(
    'dl',
    null,
    keyId === null
      ? pair(labels.agency, labels.nobody)
      : pair(labels.agency, name, agency === undefined || agencyName === null ? undefined : labels.nameFrom),
    pair(labels.key, key),
    pair(labels.log, h('code', null, visibleLine(origin))),
  );
}

function whenIn({ texts, language }: View, { verification }: Judgement, { event }: Content): ComponentChild {
  const { labels } = texts;
  const { time, block, blockTime } = verification.facts ?? {};
  const eventTime = attribute(event, 'time');
  // What `zegel submit --documents` writes where nobody says otherwise, so that a document is always the same event.
  const saysNothing = attribute(event, 'type') === 'zegel.document' && eventTime === '1970-01-01T00:00:00Z';
  const said = saysNothing ? null : eventTime;
  return h(
    'dl',
    null,
    pair(labels.entryTime, time === undefined ? null : clock(time, language), labels.entryTimeBy),
    blockTime === undefined || block === undefined
      ? pair(labels.blockTime, labels.notYet)
      : pair(
          labels.blockTime,
          h('span', { class: 'strong' }, clock(blockTime, language)),
          labels.blockTimeBy(grouped(block, language)),
        ),
    pair(labels.eventTime, said === null ? null : clock(said, language), labels.eventTimeBy),
  );
}

/** A moment in the reader's zone; the exact text in UTC stays with it. One that no calendar has is shown as it stands. */
function clock(time: string, language: View['language']): ComponentChild {
  if (!isMoment(time)) return foreign(time);
  return h('time', { dateTime: time, title: time }, moment(time, language));
}

function whatIn({ texts, language }: View, { verification }: Judgement, { event }: Content): ComponentChild {
  const { labels } = texts;
  const { kind, leafHash } = verification.facts ?? {};
  const member = (name: string) => {
    const text = attribute(event, name);
    return text === null ? null : foreign(text);
  };
  const rest = event?.lines.filter(({ path }) => !(path.length === 1 && shownApart.has(path[0] ?? ''))) ?? [];
  return h(
    'div',
    null,
    h(
      'dl',
      { class: 'wide' },
      pair(labels.kind, kind === undefined ? null : labels.kinds[kind]),
      pair(labels.type, member('type')),
      pair(labels.subject, member('subject')),
      pair(labels.id, member('id')),
      pair(labels.source, member('source')),
    ),
    event === null
      ? kind === 'transaction' || kind === 'audit'
        ? h('p', { class: 'quiet' }, labels.noContent)
        : null
      : [
          rest.length === 0
            ? null
            : [
                h('h3', null, labels.content),
                h(
                  'dl',
                  { class: 'wide content' },
                  rest.map(({ path, value }) => pair(visibleLine(nameOf(path)), foreign(value))),
                ),
              ],
          event.more === 0 ? null : h('p', { class: 'quiet' }, labels.more(grouped(event.more, language))),
          h(
            'details',
            { class: 'signed' },
            h('summary', null, labels.asSigned),
            h('p', { class: 'quiet' }, labels.asSignedHint),
            h('pre', { tabIndex: 0, dir: 'ltr' }, visible(event.text)),
          ),
        ],
    leafHash === undefined
      ? null
      : h('dl', { class: 'wide code' }, pair(labels.code, h('code', null, leafHash), labels.codeHint)),
  );
}

/** Members that have a place of their own, or say nothing to a reader. */
const shownApart: ReadonlySet<string> = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'recordkind',
  'datacontenttype',
]);

/** `data › amount › value` reads as `amount › value`: that it is the data goes without saying. */
export function nameOf(path: readonly string[]): string {
  return (path[0] === 'data' && path.length > 1 ? path.slice(1) : path).join(' › ');
}

function attribute(event: SignedEvent | null, name: string): string | null {
  return event?.lines.find(({ path }) => path.length === 1 && path[0] === name)?.value ?? null;
}
