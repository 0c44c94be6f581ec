/** What the verdict rests on: the trust file, its fingerprint, and how to compare it. */

import { type ComponentChild, h } from 'preact';
import { visibleLine } from './event.ts';
import { moment, type View } from './view.ts';
import { chooser } from './ways.ts';

export function trustOn(view: View): ComponentChild {
  const { texts, checks, act, settings } = view;
  const { trust } = texts;
  const { trust: state, trustFault } = checks;
  return h(
    'section',
    { class: 'trust', 'aria-labelledby': 'trust' },
    h('h2', { id: 'trust' }, trust.heading),
    h('p', null, trust.lead),
    state === null ? h('p', { class: 'strong' }, trust.none) : fingerprintOf(view, state),
    trustFault === null
      ? null
      : h(
          'p',
          { class: 'fault', role: 'alert' },
          trust.fault,
          ' ',
          h('code', { lang: 'en' }, visibleLine(trustFault)),
        ),
    h(
      'div',
      { class: 'row' },
      chooser(trust.own, false, ([file]) => file !== undefined && act.useTrust(file)),
      state?.isOwn === true && settings.trust !== null
        ? h('button', { type: 'button', class: 'button', onClick: act.backToTrust }, trust.back)
        : null,
    ),
  );
}

function fingerprintOf(view: View, state: NonNullable<View['checks']['trust']>): ComponentChild {
  const { texts, language, act, typedFingerprint } = view;
  const { trust } = texts;
  const { fingerprint, sequence, issued, origins } = state.facts;
  const compared = comparedWith(typedFingerprint, fingerprint);
  return h(
    'div',
    null,
    h(
      'p',
      null,
      `${state.isOwn ? trust.ofVisitor : trust.ofPage} ${trust.issued(String(sequence), moment(issued, language))} ${trust.logs} `,
      origins.map((origin, i) => [i === 0 ? null : ', ', h('code', null, visibleLine(origin))]),
      '.',
    ),
    h('h3', { id: 'fingerprint' }, trust.fingerprint),
    // One word to a screen reader and to the clipboard; in groups to the eye.
    h(
      'p',
      { class: 'fingerprint', 'aria-labelledby': 'fingerprint' },
      h(
        'code',
        null,
        fingerprint.match(/.{8}/g)?.map((group, i) => h('span', { key: i }, group)),
      ),
    ),
    h('p', null, trust.how),
    h(
      'div',
      { class: 'compare' },
      h('label', { for: 'typed' }, trust.compare),
      h('input', {
        id: 'typed',
        type: 'text',
        value: typedFingerprint,
        spellcheck: false,
        autocomplete: 'off',
        autocapitalize: 'none',
        onInput: (event: Event) => act.typeFingerprint((event.currentTarget as HTMLInputElement).value),
      }),
      h(
        'p',
        { role: 'status', class: `compared ${compared ?? ''}` },
        compared === null ? null : trust[compared],
      ),
    ),
  );
}

/** Spaces, colons and capitals are how people write it on paper. */
function comparedWith(typed: string, fingerprint: string): 'same' | 'different' | 'partial' | null {
  const text = typed.replace(/[\s:.-]|^0x/g, '').toLowerCase();
  if (text === '') return null;
  if (text === fingerprint) return 'same';
  return fingerprint.startsWith(text) ? 'partial' : 'different';
}
