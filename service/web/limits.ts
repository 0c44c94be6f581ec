/** What a receipt proves and what it does not: no signature makes a statement true. */

import { type ComponentChild, h } from 'preact';
import type { Check } from './check.ts';
import { formOf, saidOf } from './verdict.ts';
import type { View } from './view.ts';

export function limitsOn({ texts, language }: View, { outcome }: Check): ComponentChild | null {
  if (outcome.kind !== 'judged' || outcome.judgement.content === null) return null;
  const { limits } = texts;
  const { verification, content } = outcome.judgement;
  const { verdict, finality } = verification;
  const form = formOf(outcome.judgement);
  const said = saidOf(verification, content.agencyName, language);
  const isAnchored = verdict === 'matches';

  const proves = [
    form !== 'record' ? null : isAnchored ? limits.signed(said) : limits.signedOnly,
    isAnchored ? limits.existed(said) : limits.accepted,
    isAnchored ? limits.unchanged : null,
    isAnchored && finality === 'proved' ? limits.sealed : null,
  ];
  const provesNot = [
    form === 'record' ? limits.truth : null,
    form === 'proofOnly' ? limits.contentMissing : null,
    form === 'own' ? null : limits.later,
    isAnchored ? limits.exactTime : limits.notAnchored,
    isAnchored && finality === 'unproved' ? limits.notFinal : null,
    limits.trust,
  ];
  const list = (title: string, items: readonly (string | null)[]) =>
    h(
      'div',
      null,
      h('h3', null, title),
      h(
        'ul',
        null,
        items.map(item => (item === null ? null : h('li', null, item))),
      ),
    );
  return h(
    'section',
    { class: 'limits', 'aria-labelledby': 'limits' },
    h('h2', { id: 'limits' }, limits.heading),
    h('div', { class: 'columns' }, list(limits.proves, proves), list(limits.provesNot, provesNot)),
  );
}
