/** The page in English. */

import type { Texts } from './texts.ts';

export const english: Texts = {
  language: 'English',
  translation: 'This is a translation. The Dutch text is the authoritative one.',
  title: 'Check a receipt',
  question: 'Is this receipt true?',
  lead: 'Did a public authority give you a receipt? Here you see whether it is real, and whether nothing in it has been changed.',
  skip: 'To the content',
  languages: 'Language',
  noScript:
    'This page works out by itself whether a receipt checks out. For that, JavaScript must be on. Without JavaScript you can do the same with the program zegel verify.',

  ways: {
    heading: 'Give the receipt',
    choose: 'Choose a file',
    drop: 'or drag it here. There may be several, and the document that they are about with them.',
    release: 'Let go to check',
    field: 'Or paste a code, a link, or the text of a receipt here',
    fieldHint: 'A code has 64 characters: digits, and letters from a to f.',
    check: 'Check',
    private:
      'Checking is done in your browser. Your file does not leave this device. Only for a code, or for a receipt that is not yet anchored, is the register asked for the public part.',
    retry: 'Try again',
    again: 'Check another receipt',
    busy: 'Checking…',
    busyMany: (done, all) => `Checking: ${done} of ${all}…`,
  },

  verdicts: {
    matches: 'Checks out',
    'does-not-match': 'Does not check out',
    'not-yet-anchored': 'Not yet anchored',
    'could-not-check': 'Could not be checked',
  },
  matches: {
    record: ({ agency, date }) =>
      `This checks out: ${agency} has signed it, and nothing in it has changed since ${date}.`,
    proofOnly: ({ agency, date }) =>
      `This checks out: the register has an entry of ${agency}, and it has not changed since ${date}.`,
    own: ({ date }) =>
      `This checks out: it is an entry of the register itself, and it has not changed since ${date}.`,
  },
  pending: {
    record: 'This is signed and taken into the register, but not yet fixed in the blockchain.',
    proofOnly: 'This is taken into the register, but not yet fixed in the blockchain.',
    own: 'This entry of the register itself is not yet fixed in the blockchain.',
  },
  doesNotMatch: 'This does not check out:',
  wrong: {
    parse: 'this file does not have the form of a receipt.',
    statement: 'the signature does not belong to this content and this key.',
    commitment: 'the content is not what was taken into the register.',
    batch: 'this event is not part of what was signed.',
    inclusion: 'this entry does not stand at this place in the register.',
    checkpoint: 'no register that this page trusts has signed this.',
    seals: 'too few validators of the blockchain have sealed this block.',
    anchor: 'the blockchain does not hold what this receipt claims.',
    key: 'the key was not valid for an agency at that moment.',
    time: 'the entry claims to be younger than the block that fixes it.',
    original: 'the file that you laid beside it is not what was signed.',
  },
  couldNotCheck: 'This could not be checked:',
  reasons: {
    'no-service': 'this page comes from a disk and does not know which service to ask for a code.',
    unreachable: 'the service of the register cannot be reached at present.',
    'not-found': 'the service says that it has nothing under this code.',
    'strange-answer': 'the service gave an answer that is no receipt.',
    'other-record': 'the service gave no receipt for this code, but something else.',
    'not-verified': 'what the service sent does not hold. That is due to the service, or to the trust file.',
    'no-trust': 'there is no trust file yet. Choose one below.',
    'too-large': 'the file is larger than a receipt can be.',
    'too-many': 'these are too many at once. Give a thousand at most.',
    unreadable: 'your browser could not read the file.',
    document: 'this is a document, not a receipt. Give the receipt as well, and they will be compared.',
    event: 'this is an event without a receipt. Give the receipt as well, and they will be compared.',
    trust: 'this is a trust file, not a receipt. You can use it below.',
    fork: 'this is proof that a register contradicts itself. Check it with the program zegel verify.',
    'link-damaged': 'the link is not whole. Copy it again, from beginning to end.',
    'not-recognised': 'this is no code, no link and no receipt.',
    'no-receipts': 'there is no receipt in this file.',
    fault: 'something went wrong in this page itself.',
  },
  advice: {
    wrong:
      'Do not use this file as proof. Ask for it again where you got it: it may have been changed or damaged on its way.',
    otherLog: 'If it comes from another register, choose the trust file of that register below.',
    olderTrust: 'It may also be the trust file: if that is older than the receipt, choose a newer one below.',
    original: 'The receipt itself checks out. See whether you chose the right file.',
    unchecked: 'That says nothing about the receipt itself.',
    development:
      'This is a register for practice: nobody vouches for its blockchain, so this receipt is not final.',
    completed: 'The receipt is now complete. Keep it: you need nobody any more to check it.',
  },
  waiting: {
    expected: date => `That normally happens before ${date}.`,
    late: 'That takes longer than usual.',
    unknown: 'This page does not know when that will be.',
    bySelf: 'You need not do anything: this page asks, and completes the receipt by itself.',
    noService:
      'This page has no service to ask. Come back later, or ask for the complete receipt where you got this one.',
    unreachable: 'The service of the register cannot be reached at present. This page keeps trying.',
    notFound: 'The service says that it knows nothing of this. This page keeps trying.',
    notVerified: 'What the service sent does not hold. This page keeps trying.',
    asked: time => `Last asked at ${time}.`,
  },

  who: 'Who',
  what: 'What',
  when: 'When',
  labels: {
    agency: 'Agency',
    nameFrom: 'The name comes from the trust file. What is proved is the code.',
    unproved: 'Not yet proved: that comes with the anchor.',
    key: 'Key',
    nobody: 'The register itself; no agency has signed this.',
    log: 'Register',
    kind: 'Kind of entry',
    kinds: {
      transaction: 'Transaction',
      audit: 'Trace of an action',
      genesis: 'Beginning of the register',
      chain: 'Reference to the blockchain',
    },
    type: 'Type of event',
    subject: 'Subject',
    id: 'Reference',
    source: 'Source',
    eventTime: 'Time according to the agency',
    eventTimeBy: 'What the agency says; not proved.',
    content: 'Content',
    more: count => `${count} more lines: see the text as signed.`,
    asSigned: 'As signed',
    asSignedHint: 'Character for character what the agency signed. What you would not see is spelt out.',
    noContent:
      'The content is not in this receipt. The agency, or whoever is entitled to it, can give one with content.',
    entryTime: 'In the register',
    entryTimeBy: 'Time according to the register.',
    blockTime: 'Fixed in the blockchain',
    blockTimeBy: block => `Proved: not later than this. Block ${block}.`,
    notYet: 'Not yet',
    code: 'Code',
    codeHint: 'With this code anybody can see that this stands in the register. The content stays secret.',
  },

  steps: {
    heading: 'The ten steps of the check',
    lead: 'Each step rests on the one before. At the first that does not hold, the check ends.',
    passed: 'holds',
    failed: 'does not hold',
    skipped: 'does not apply',
    notReached: 'not looked at',
    verifier: 'The verifier says:',
    each: {
      parse: { title: 'Form', text: 'The file has exactly the form of a receipt.' },
      statement: {
        title: 'Signature',
        text: 'The signature fits the content and the key, and was made for this register.',
      },
      commitment: { title: 'Content', text: 'The entry in the register was made from exactly this content.' },
      batch: { title: 'Batch', text: 'The event is part of the batch that was signed together.' },
      inclusion: { title: 'Place', text: 'The entry stands at its place in the register.' },
      checkpoint: { title: 'Register', text: 'A register that you trust has signed this state of it.' },
      seals: { title: 'Seals', text: 'Enough validators of the blockchain have sealed the block.' },
      anchor: { title: 'Anchor', text: 'The state of the register stands in that block.' },
      key: { title: 'Key', text: 'The key was valid at that time, in the name of this agency.' },
      time: { title: 'Time', text: 'The entry is not younger than the block.' },
    },
  },

  limits: {
    heading: 'What this proves, and what not',
    proves: 'This proves',
    provesNot: 'This does not prove',
    signed: ({ agency }) => `A key of ${agency} has signed this.`,
    existed: ({ date }) => `It stood in the register on ${date} at the latest.`,
    unchanged: 'Not a character of it has changed since, not even by the register.',
    accepted: 'The register has accepted and signed this.',
    signedOnly: 'Whoever has the key has signed this.',
    sealed: 'Enough validators of the blockchain have sealed the block: it cannot disappear any more.',
    truth: 'That what it says is true. A signature proves who said something, not that it is so.',
    later: 'That nothing else was decided later. That would stand in another receipt.',
    exactTime: 'When exactly it happened. The time of the block is only an outer limit.',
    contentMissing: 'What it says: the content is not in this receipt.',
    notFinal: 'That it is final: whoever runs a practice blockchain can do everything over again.',
    notAnchored: 'That it will stay: until it is anchored, that depends on the register.',
    trust: 'That the trust file is the right one. So compare the fingerprint.',
  },

  original: {
    heading: 'Do you have the document itself?',
    beside: 'The file beside it',
    lead: 'Lay it beside the receipt, and you see whether it is what was signed.',
    choose: 'Choose the document',
    busy: 'Comparing…',
    unreadable: 'Your browser could not read the file.',
    loose: names => `Files that belong to none of these receipts: ${names}.`,
    found: {
      event: 'This is, character for character, what was signed.',
      'event-respelt': 'This holds the same as what was signed, only otherwise laid out.',
      'other-event': 'This is another event than the one that was signed.',
      'other-document': 'This is another file than the document that was signed.',
      'no-event': 'There is nothing to compare: the content is not in this receipt.',
      'no-fingerprint': 'There is nothing to compare: what was signed names no fingerprint of this file.',
    },
    document: path =>
      `This is the file whose fingerprint was signed${path === null ? '' : `, at “${path}”`}.`,
  },

  trust: {
    heading: 'What does this rest on?',
    lead: 'On one file, the trust file: it says which register, which blockchain and which validators this page trusts. If that file is not right, the check says nothing.',
    ofPage: 'This trust file came in the page.',
    ofVisitor: 'This trust file is your own choice.',
    none: 'There is no trust file in this page. Choose one yourself.',
    fingerprint: 'Fingerprint (SHA-256)',
    how: 'The operator of the register publishes this fingerprint by another road, too, for instance on paper. Compare it with what you see there, or paste it here.',
    compare: 'Fingerprint that you found elsewhere',
    same: 'The same.',
    different: 'Not the same. Do not trust this page before you know why.',
    partial: 'Not complete: a fingerprint has 64 characters.',
    issued: (number, date) => `Number ${number}, of ${date}.`,
    logs: 'For',
    own: 'Use a trust file of my own',
    back: 'Back to the one of the page',
    fault: 'That is no trust file:',
    download: 'Save the trust file',
  },

  self: {
    heading: 'Check it yourself, without this page',
    lead: 'With the program zegel, on your own computer and without a connection. First save both files.',
    receipt: 'Save the receipt',
    page: 'Save this page',
    pageHint: 'The saved page also works without internet.',
    print: 'Print',
    link: 'Link to check this again',
  },

  table: {
    caption: 'The receipts that you gave',
    summary: counts => {
      const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
      const parts = [`${counts.matches} of ${all} ${counts.matches === 1 ? 'checks out' : 'check out'}`];
      if (counts['does-not-match'] > 0)
        parts.push(`${counts['does-not-match']} ${counts['does-not-match'] === 1 ? 'does' : 'do'} not`);
      if (counts['not-yet-anchored'] > 0)
        parts.push(
          `${counts['not-yet-anchored']} ${counts['not-yet-anchored'] === 1 ? 'is' : 'are'} not yet anchored`,
        );
      if (counts['could-not-check'] > 0) parts.push(`${counts['could-not-check']} could not be checked`);
      return `${parts.join(', ')}.`;
    },
    receipt: 'Receipt',
    verdict: 'Verdict',
    agency: 'Who',
    when: 'When',
    what: 'What',
    open: 'Show',
    back: 'Back to all receipts',
    unnamed: number => `Receipt ${number}`,
  },

  foot: 'This page does not pass your files on, keeps nothing and sets no cookies.',
};
