/** What the ledger's face says, in Dutch, which counts, and in English. */

import type { HealthEvent } from '../openapi/answers.ts';

export type Language = 'nl' | 'en';

export type Words = {
  readonly title: string;
  readonly skip: string;
  readonly translation: string | null;
  readonly other: { readonly lang: Language; readonly text: string };
  readonly site: {
    readonly ledger: string;
    readonly verify: string;
    readonly docs: string;
    readonly problems: string;
  };
  readonly what: readonly [string, string, string];
  readonly now: string;
  readonly entries: string;
  readonly anchored: string;
  readonly final: string;
  readonly health: string;
  readonly chain: string;
  readonly waiting: string;
  readonly nobodyWaits: string;
  readonly since: string;
  readonly statuses: Readonly<Record<HealthEvent['status'], string>>;
  readonly chains: Readonly<Record<HealthEvent['chain'], string>>;
  readonly perMinute: string;
  /** With the count, and the greatest of a minute. */
  readonly inAll: string;
  readonly most: string;
  readonly started: string;
  readonly hourAgo: string;
  readonly live: string;
  readonly notLive: string;
  readonly anchors: string;
  readonly anchorsSay: string;
  readonly noAnchors: string;
  readonly size: string;
  readonly block: string;
  readonly time: string;
  readonly lag: string;
  readonly check: string;
  readonly checkSay: string;
  readonly checkLink: string;
  readonly build: string;
  readonly buildSay: string;
  readonly buildLink: string;
  readonly audit: string;
  readonly auditSay: string;
};

export const words: Readonly<Record<Language, Words>> = {
  nl: {
    title: 'Dit grootboek',
    skip: 'Naar de tekst',
    translation: null,
    other: { lang: 'en', text: 'English' },
    site: {
      ledger: 'Het grootboek',
      verify: 'Bewijs nagaan',
      docs: 'Voor programma’s',
      problems: 'Problemen',
    },
    what: [
      'Overheden ondertekenen hier wat zij beslissen en doen, en dit grootboek zet het voorgoed in een vaste volgorde.',
      'Met korte tussenpozen wordt de stand ervan vastgelegd op een keten: wat er dan in staat, kan niemand nog ongemerkt wijzigen, ook de beheerder niet.',
      'Wie een bewijs heeft, kan het zelf nagaan, zonder ons iets te vragen.',
    ],
    now: 'Nu',
    entries: 'Ondertekende ingangen',
    anchored: 'Waarvan op de keten',
    final: 'Waarvan definitief',
    health: 'De dienst',
    chain: 'De keten',
    waiting: 'Wacht op verankering',
    nobodyWaits: 'niets',
    since: 'sinds',
    statuses: {
      UP: 'alles werkt',
      DEGRADED: 'lezen gaat, indienen of verankeren misschien niet',
      DOWN: 'wordt gestopt',
    },
    chains: { good: 'antwoordt', silent: 'antwoordt niet', trouble: 'antwoordt, maar verankeren lukt niet' },
    perMinute: 'Nieuwe records per minuut',
    inAll: 'In het laatste uur',
    most: 'Meeste in één minuut',
    started: 'Geteld sinds de start van de dienst om',
    hourAgo: 'een uur geleden',
    live: 'Deze cijfers worden vanzelf bijgewerkt.',
    notLive: 'De verbinding is weg; de cijfers zijn van',
    anchors: 'Laatste verankeringen',
    anchorsSay: 'Vertraging: van de eerste ingang die een verankering dekt tot haar blok op de keten.',
    noAnchors: 'Er is nog niets definitief verankerd.',
    size: 'Omvang',
    block: 'Blok',
    time: 'Tijd (UTC)',
    lag: 'Vertraging',
    check: 'Een bewijs nagaan',
    checkSay: 'Met het bestand dat u van een overheid kreeg. Het nagaan gebeurt in uw eigen browser.',
    checkLink: 'Naar de controlepagina',
    build: 'Aansluiten',
    buildSay: 'Hoe programma’s indienen en bewijzen ophalen (in het Engels).',
    buildLink: 'Naar de documentatie',
    audit: 'Alles natrekken',
    auditSay:
      'Iedereen kan het hele grootboek natrekken op een eigen machine: elke ingang wordt gelezen, de keten wordt nagespeeld, en de uitkomst moet dezelfde zijn. Neem het vertrouwensbestand van elders dan van hier.',
  },
  en: {
    title: 'This ledger',
    skip: 'To the text',
    translation: 'This is a translation: the Dutch text counts.',
    other: { lang: 'nl', text: 'Nederlands' },
    site: { ledger: 'The ledger', verify: 'Verify a receipt', docs: 'For programs', problems: 'Problems' },
    what: [
      'Public bodies sign what they decide and do, and this ledger puts it into one order, for good.',
      'At short intervals its state is fixed on a chain: what the ledger holds by then can be changed by nobody without it showing, not even by those who run it.',
      'Whoever has a receipt can verify it alone, without asking us for anything.',
    ],
    now: 'Now',
    entries: 'Signed entries',
    anchored: 'Of these on the chain',
    final: 'Of these final',
    health: 'The service',
    chain: 'The chain',
    waiting: 'Waiting for an anchor',
    nobodyWaits: 'nothing',
    since: 'since',
    statuses: {
      UP: 'all is well',
      DEGRADED: 'reads go on, submitting or anchoring may not',
      DOWN: 'is being stopped',
    },
    chains: { good: 'answers', silent: 'does not answer', trouble: 'answers, but anchors do not come about' },
    perMinute: 'New records per minute',
    inAll: 'In the last hour',
    most: 'Most in one minute',
    started: 'Counted since the service was started at',
    hourAgo: 'an hour ago',
    live: 'These figures are brought up to date by themselves.',
    notLive: 'The connection is lost; the figures are of',
    anchors: 'Last anchors',
    anchorsSay: 'Lag: from the first entry that an anchor covers to its block on the chain.',
    noAnchors: 'Nothing is anchored and final yet.',
    size: 'Size',
    block: 'Block',
    time: 'Time (UTC)',
    lag: 'Lag',
    check: 'Verify a receipt',
    checkSay: 'With the file that you were given by a public body. It is verified in your own browser.',
    checkLink: 'To the page that verifies',
    build: 'Connect',
    buildSay: 'How programs submit records and get receipts.',
    buildLink: 'To the documentation',
    audit: 'Audit everything',
    auditSay:
      'Anybody can audit the whole ledger on a machine of their own: every entry is read, the chain is replayed, and what comes out must be the same. Get the trust file from elsewhere than from here.',
  },
};
