/** A tour of the citizen's page: every state that it can show, each reached as a visitor would reach it. */

import { createHash } from 'node:crypto';
import type { Page } from 'playwright-core';
import { formatBase64url, formatHex, utf8 } from '../../merkle/bytes.ts';
import { formatReceipt, type Receipt } from '../../merkle/receipt.ts';
import { leafHash } from '../../merkle/tree.ts';
import { formatTrust } from '../../merkle/trust.ts';
import { documentEvent } from '../../scripts/documents.ts';
import { sampleEvents } from '../../scripts/samples.ts';
import { aTrust, forge, type Plan } from './forge.ts';
import type { PageSite } from './page-site.ts';

/** What the tour shows: receipts of every kind, and what lies beside them. */
export type Exhibits = Awaited<ReturnType<typeof someExhibits>>;

const decision = utf8('%PDF-1.7\n% a decision, as an agency sends it\n');
const source = { source: 'https://permits.example/documents', time: '1970-01-01T00:00:00Z' };

export async function someExhibits() {
  const [sample] = sampleEvents('2026-11-24T07:59:58Z', '2026');
  const grant = utf8(JSON.stringify(sample?.event, null, 2));
  const digest = new Uint8Array(createHash('sha256').update(decision).digest());
  const documents = documentEvent({ digest, lengthBytes: decision.length, name: 'besluit.pdf' }, source);
  const made = async (plan: Plan, event?: Uint8Array) => {
    const change = event === undefined ? {} : { change: { event: () => event } };
    const { receipt } = await forge({ ...plan, ...change });
    return receipt;
  };
  const good = await made({}, grant);
  const tampered = { ...good, entry: good.entry.with(9, (good.entry[9] ?? 0) ^ 1) };
  return {
    trust: formatTrust(aTrust('qbft')),
    developmentTrust: formatTrust(aTrust('none')),
    good,
    tampered,
    pending: { ...good, evidence: null },
    proofOnly: withoutRecord(good),
    document: await made({ kind: 'audit' }, documents),
    batch: await made({ batch: { size: 5, index: 3 }, alg: 'Ed25519', index: 7 }, grant),
    genesis: await made({ kind: 'genesis' }),
    development: await made({ consensus: 'none' }, grant),
    grant,
    decision,
  };
}

export function withoutRecord({ record: _, ...rest }: Receipt): Receipt {
  return rest;
}

export const textOf = (receipt: Receipt): string => formatReceipt(receipt);
export const leafOf = ({ entry }: Receipt): string => formatHex(leafHash(entry));
export const linkTo = (receipt: Receipt): string => formatBase64url(utf8(textOf(receipt)));

export type Stop = {
  readonly name: string;
  readonly verdict: 'matches' | 'does-not-match' | 'not-yet-anchored' | 'could-not-check' | null;
  /** Whether a service must be asked for it. */
  readonly asks?: true;
  /** Brings a page that has nothing to show yet to this state. */
  readonly show: (tab: Page, exhibits: Exhibits, site: PageSite) => Promise<unknown>;
};

/** Chooses files, as with the browser's dialogue. */
export async function choose(
  tab: Page,
  files: Readonly<Record<string, Uint8Array | string>>,
  where = '.ways input[type=file], .again input[type=file]',
): Promise<void> {
  await tab.setInputFiles(
    where,
    Object.entries(files).map(([name, content]) => ({
      name,
      mimeType: 'application/octet-stream',
      buffer: Buffer.from(content),
    })),
  );
}

/** Follows a link within the page, as when its address is changed by hand. */
export async function follow(tab: Page, fragment: string): Promise<void> {
  await tab.evaluate(text => {
    location.hash = text;
  }, fragment);
}

export const tour: readonly Stop[] = [
  { name: 'question', verdict: null, show: async () => undefined },
  {
    name: 'matches',
    verdict: 'matches',
    show: (tab, { good }) => choose(tab, { 'ontvangstbewijs.json': textOf(good) }),
  },
  {
    name: 'matches-steps',
    verdict: 'matches',
    async show(tab, { batch }) {
      await choose(tab, { 'ontvangstbewijs.json': textOf(batch) });
      await tab.locator('.steps summary').click();
      await tab.locator('.signed summary').click();
    },
  },
  {
    name: 'matches-development',
    verdict: 'matches',
    async show(tab, { development, developmentTrust }) {
      await choose(tab, { 'trust.json': developmentTrust }, '.trust input[type=file]');
      await choose(tab, { 'ontvangstbewijs.json': textOf(development) });
    },
  },
  {
    name: 'matches-proof-only',
    verdict: 'matches',
    asks: true,
    show(tab, { proofOnly }, site) {
      site.answers.set(leafOf(proofOnly), textOf(proofOnly));
      return follow(tab, `leaf=${leafOf(proofOnly)}`);
    },
  },
  {
    name: 'matches-own-entry',
    verdict: 'matches',
    show: (tab, { genesis }) => choose(tab, { 'ontvangstbewijs.json': textOf(genesis) }),
  },
  {
    name: 'matches-document',
    verdict: 'matches',
    show: (tab, { document, decision }) =>
      choose(tab, { 'ontvangstbewijs.json': textOf(document), 'besluit.pdf': decision }),
  },
  {
    name: 'does-not-match',
    verdict: 'does-not-match',
    show: (tab, { tampered }) => choose(tab, { 'ontvangstbewijs.json': textOf(tampered) }),
  },
  {
    name: 'does-not-match-document',
    verdict: 'does-not-match',
    show: (tab, { document, decision }) =>
      choose(tab, { 'ontvangstbewijs.json': textOf(document), 'besluit.pdf': `${Buffer.from(decision)} ` }),
  },
  {
    name: 'not-yet-anchored',
    verdict: 'not-yet-anchored',
    show(tab, { pending }, site) {
      site.answers.delete(leafOf(pending));
      return choose(tab, { 'ontvangstbewijs.json': textOf(pending) });
    },
  },
  {
    name: 'could-not-check',
    verdict: 'could-not-check',
    show: (tab, { decision }) => choose(tab, { 'besluit.pdf': decision }),
  },
  {
    name: 'could-not-check-unreachable',
    verdict: 'could-not-check',
    show(tab, _, site) {
      const leaf = '5'.repeat(64);
      site.answers.set(leaf, 'drop');
      return follow(tab, `leaf=${leaf}`);
    },
  },
  {
    name: 'several',
    verdict: 'does-not-match',
    show: (tab, { good, batch, tampered, pending, genesis }) =>
      choose(tab, {
        'beslissing.json': textOf(good),
        'betaling.json': textOf(batch),
        'gewijzigd.json': textOf(tampered),
        'vandaag.json': textOf(pending),
        'begin.json': textOf(genesis),
      }),
  },
  {
    name: 'trust-refused',
    verdict: null,
    show: tab => choose(tab, { 'trust.json': '{"version":2}' }, '.trust input[type=file]'),
  },
];

/** Waits until a stop of the tour is reached. */
export async function arrived(tab: Page, { name, verdict }: Stop): Promise<void> {
  if (name === 'trust-refused') await tab.locator('.trust .fault').waitFor();
  if (verdict !== null) await tab.locator(`section.verdict[data-verdict=${verdict}]`).waitFor();
  if (name.endsWith('-document')) await tab.locator('.found:not([data-found=busy])').waitFor();
}
