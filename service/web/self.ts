/** How to do it again without this page: on the command line, on paper, from the disk. */

import { type ComponentChild, h } from 'preact';
import type { Check } from './check.ts';
import type { View } from './view.ts';

/** Names of our own: a file's name is a stranger's text, and must not end up in a command. */
export const receiptName = 'receipt.json';
const trustName = 'trust.json';

export function selfOn(view: View, check: Check | null): ComponentChild {
  const { texts, checks, act, address } = view;
  const { self, trust } = texts;
  const receipt = check?.receipt ?? null;
  const text = checks.trust?.text;
  const facts = check?.outcome.kind === 'judged' ? check.outcome.judgement.verification.facts : null;
  const save = (label: string, name: string, type: string, content: Uint8Array | string) =>
    h('button', { type: 'button', class: 'button', onClick: () => act.save(name, type, content) }, label);
  return h(
    'section',
    { class: 'self', 'aria-labelledby': 'self' },
    h('h2', { id: 'self' }, self.heading),
    h('p', null, self.lead),
    h('pre', { tabIndex: 0, dir: 'ltr' }, `npx zegel verify ${receiptName} --trust ${trustName}`),
    h(
      'div',
      { class: 'row' },
      receipt === null ? null : save(self.receipt, receiptName, 'application/json', receipt),
      text === undefined ? null : save(trust.download, trustName, 'application/json', text),
      view.canBeSaved
        ? h('a', { class: 'button', href: 'verify.html', download: 'verify.html' }, self.page)
        : null,
      check === null
        ? null
        : h('button', { type: 'button', class: 'button', onClick: act.print }, self.print),
    ),
    view.canBeSaved ? h('p', { class: 'quiet' }, self.pageHint) : null,
    facts == null || address === null
      ? null
      : h(
          'p',
          { class: 'link' },
          `${self.link}: `,
          h('a', { href: `${address}#leaf=${facts.leafHash}` }, `${address}#leaf=${facts.leafHash}`),
        ),
  );
}
