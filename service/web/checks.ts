/** The checks under way: what was given, what came out, what is waited for. Whoever shows them is told of every change. */

import type { Verdict } from '../../merkle/verification.ts';
import { type Comparison, isOther } from './comparison.ts';
import { type SortedFiles, sortFiles } from './files.ts';
import { type Given, readFragment, readGiven } from './given.ts';
import type { Judgement, TrustFacts } from './judge.ts';
import { kindOf } from './kind.ts';
import { askReceipt, maxReceiptBytes } from './sent.ts';
import type { Reason } from './texts.ts';
import type { Desk } from './worker.ts';

export type Outcome =
  | { readonly kind: 'busy' }
  /** `ms` is how long that took, to the worker and back; null where a service was asked. */
  | { readonly kind: 'judged'; readonly judgement: Judgement; readonly ms: number | null }
  | { readonly kind: 'unchecked'; readonly reason: Reason };

/** What is waited for while a receipt is not yet anchored. */
export type Waiting = {
  /** What came of the last question; null before the first. */
  readonly last: 'not-yet' | 'unreachable' | 'not-verified' | 'no-service' | null;
  /** When it was asked, milliseconds since 1970. */
  readonly askedAt: number | null;
};

export type Original = {
  readonly name: string;
  readonly found: Comparison | 'busy' | 'unreadable';
};

export type Check = {
  readonly id: number;
  /** The file's name; null for what was pasted, linked or asked for. */
  readonly name: string | null;
  /** The file as it was given or sent, or as it was completed. */
  readonly receipt: Uint8Array | null;
  /** The file as it was given, before a service completed it. */
  readonly given: Uint8Array | null;
  /** The code for which a service sent it; null where it did not. */
  readonly leaf: string | null;
  readonly outcome: Outcome;
  readonly waiting: Waiting | null;
  readonly original: Original | null;
  /** Whether it became whole while the page was open. */
  readonly isCompleted: boolean;
};

export type TrustState = {
  readonly text: string;
  readonly facts: TrustFacts;
  /** Whether the visitor brought it. */
  readonly isOwn: boolean;
};

/** How many receipts are taken at once. */
export const maxReceipts = 1_000;

/** What a check says in one word. A file beside it that is not what was signed makes the whole of it not match. */
export function verdictOf({ outcome, original }: Check): Verdict | 'busy' {
  if (outcome.kind === 'busy') return 'busy';
  if (outcome.kind === 'unchecked') return 'could-not-check';
  const { verdict } = outcome.judgement.verification;
  return verdict === 'does-not-match' || !isOtherOriginal(original) ? verdict : 'does-not-match';
}

export function isOtherOriginal(original: Original | null): boolean {
  return original !== null && typeof original.found === 'object' && isOther(original.found);
}

/** What it takes to check: the worker, the service (null where there is none), and how long to wait between two questions. */
export type Means = {
  readonly desk: Desk;
  readonly service: string | null;
  readonly pauseMs: number;
};

export class Checks {
  readonly #means: Means;
  readonly #changed: () => void;
  #list: readonly Check[] = [];
  #loose: readonly File[] = [];
  #trust: TrustState | null = null;
  #trustFault: string | null = null;
  /** Settles once the trust file has been read that was given last: until then nothing can be judged. */
  #trusting: Promise<void> = Promise.resolve();
  #last = 0;

  /** @param changed called after every change */
  constructor(means: Means, changed: () => void) {
    this.#means = means;
    this.#changed = changed;
  }

  get list(): readonly Check[] {
    return this.#list;
  }

  /** Files that were given beside receipts and belong to none of them. */
  get loose(): readonly File[] {
    return this.#loose;
  }

  get trust(): TrustState | null {
    return this.#trust;
  }

  /** Why the last trust file was refused. */
  get trustFault(): string | null {
    return this.#trustFault;
  }

  /** Uses a trust file from now on, and judges all that is there again. One that cannot be read changes nothing. */
  useTrust(text: string, isOwn: boolean): Promise<void> {
    this.#trusting = this.#readTrust(text, isOwn);
    return this.#trusting;
  }

  async #readTrust(text: string, isOwn: boolean): Promise<void> {
    const facts = await this.#means.desk.do('trust', { trust: text });
    if ('fault' in facts) this.#trustFault = facts.fault;
    else {
      this.#trust = { text, facts, isOwn };
      this.#trustFault = null;
    }
    this.#changed();
    if ('fault' in facts) return;
    for (const { id, leaf, given } of this.#list) {
      // What a service has sent is asked for again; what it has completed is completed again.
      this.#change(id, { waiting: null, isCompleted: false });
      if (leaf !== null) await this.#ask(id, leaf);
      else if (given !== null) await this.#judge(id, given);
    }
  }

  /** Takes files: receipts, and what may lie beside them. Receipts replace what was there before. */
  async takeFiles(files: readonly File[]): Promise<void> {
    const { receipts, beside } = await sortFiles(files);
    await this.#trusting;
    if (receipts.length === 0) return this.#takeBeside(beside);
    if (receipts.length > maxReceipts) return this.#refuse(null, 'too-many');
    const waiting = this.#loose;
    this.#loose = [];
    this.#list = receipts.map(({ name, receipt }) =>
      typeof receipt === 'string'
        ? this.#unchecked(name, receipt)
        : { ...this.#unchecked(name, 'fault'), given: receipt, outcome: { kind: 'busy' } },
    );
    this.#changed();
    for (const { id, given } of this.#list) if (given !== null) await this.#judge(id, given);
    await this.#lay([...waiting, ...beside.map(({ file }) => file)]);
  }

  /** Files without a receipt: they lie beside those that are there, or wait for one. */
  async #takeBeside(beside: SortedFiles['beside']): Promise<void> {
    const [first] = beside;
    const canLie = beside.every(({ reason }) => reason === 'document' || reason === 'event');
    const files = beside.map(({ file }) => file);
    if (first !== undefined && canLie && this.#list.some(({ receipt }) => receipt !== null))
      return this.#lay(files);
    this.#loose = canLie ? files : [];
    this.#refuse(first?.file.name ?? null, first?.reason ?? 'no-receipts');
  }

  #refuse(name: string | null, reason: Reason): void {
    this.#list = [this.#unchecked(name, reason)];
    this.#changed();
  }

  /** Takes what was typed or pasted. */
  async takeText(text: string): Promise<void> {
    await this.#take(readGiven(text));
  }

  /** Takes what stands behind `#` in the page's address. Gives whether that asks for anything. */
  async takeFragment(fragment: string): Promise<boolean> {
    const given = readFragment(fragment);
    if (given !== undefined) await this.#take(given);
    return given !== undefined;
  }

  /** Compares a file with what a receipt is about. */
  async compare(id: number, file: File): Promise<void> {
    const check = this.#list.find(check => check.id === id);
    if (check === undefined || check.receipt === null || check.outcome.kind !== 'judged') return;
    this.#change(id, { original: { name: file.name, found: 'busy' } });
    const { receipt } = check;
    const found = await this.#means.desk.do('compare', { receipt, file }).catch(() => 'unreadable' as const);
    this.#change(id, { original: { name: file.name, found } });
  }

  /** Forgets everything but the trust file. */
  clear(): void {
    this.#list = [];
    this.#loose = [];
    this.#changed();
  }

  async #take(given: Given): Promise<void> {
    const check = this.#unchecked(null, given.kind === 'fault' ? given.reason : 'fault');
    const { id } = check;
    this.#list = [given.kind === 'fault' ? check : { ...check, outcome: { kind: 'busy' } }];
    this.#changed();
    await this.#trusting;
    if (given.kind === 'leaf') return this.#ask(id, given.leaf);
    if (given.kind !== 'receipt') return;
    const { receipt } = given;
    if (receipt.length > maxReceiptBytes) return this.#fail(id, 'too-large');
    const kind = kindOf(receipt);
    if (kind === 'event' || kind === 'trust' || kind === 'fork') return this.#fail(id, kind);
    this.#change(id, { given: receipt });
    await this.#judge(id, receipt);
    const waiting = this.#loose;
    this.#loose = [];
    await this.#lay(waiting);
  }

  /** A service's answer is never a reason to say that something does not match: it may be the service that lies. */
  async #ask(id: number, leaf: string): Promise<void> {
    this.#change(id, { leaf });
    const trust = this.#trust?.text;
    if (trust === undefined) return this.#fail(id, 'no-trust');
    const sent = await askReceipt(this.#means.service, leaf);
    if (typeof sent === 'string') return this.#fail(id, sent);
    const judgement = await this.#means.desk
      .do('leaf', { receipt: sent, leaf, trust })
      .catch(() => undefined);
    if (judgement === undefined) return this.#fail(id, 'fault');
    if (judgement === null) return this.#fail(id, 'other-record');
    if (judgement.verification.verdict === 'does-not-match') return this.#fail(id, 'not-verified');
    this.#change(id, { receipt: sent, outcome: { kind: 'judged', judgement, ms: null } });
    this.#await(id);
  }

  async #judge(id: number, receipt: Uint8Array): Promise<void> {
    this.#change(id, { receipt });
    const trust = this.#trust?.text;
    if (trust === undefined) return this.#fail(id, 'no-trust');
    try {
      const start = performance.now();
      const judgement = await this.#means.desk.do('judge', { receipt, trust });
      const ms = performance.now() - start;
      this.#change(id, { outcome: { kind: 'judged', judgement, ms } });
    } catch {
      // A fault of ours, or of the browser: it says nothing about the receipt.
      this.#fail(id, 'fault');
    }
    this.#await(id);
  }

  #fail(id: number, reason: Reason): void {
    this.#change(id, { outcome: { kind: 'unchecked', reason } });
  }

  /** Lays files beside the receipts: each to the one that it belongs to, or to the only one that there is. */
  async #lay(files: readonly File[]): Promise<void> {
    const { desk } = this.#means;
    for (const file of files) {
      const readable = this.#list.filter(
        ({ outcome }) => outcome.kind === 'judged' && outcome.judgement.content,
      );
      const [only] = readable;
      if (readable.length === 1 && this.#list.length === 1 && only !== undefined) {
        await this.compare(only.id, file);
        continue;
      }
      let isLoose = true;
      for (const { id, receipt } of readable) {
        if (receipt === null || !isLoose) continue;
        const found = await desk.do('compare', { receipt, file }).catch(() => undefined);
        if (found?.kind !== 'event' && found?.kind !== 'event-respelt' && found?.kind !== 'document')
          continue;
        this.#change(id, { original: { name: file.name, found } });
        isLoose = false;
      }
      if (isLoose) this.#loose = [...this.#loose, file];
    }
    this.#changed();
  }

  /** Waits for the anchor of a receipt that has none yet, and puts it in. */
  #await(id: number): void {
    const check = this.#list.find(check => check.id === id);
    if (check === undefined || check.waiting !== null || verdictOf(check) !== 'not-yet-anchored') return;
    const last = this.#means.service === null ? 'no-service' : null;
    this.#change(id, { waiting: { last, askedAt: null } });
    if (last === null) void this.#askAgain(id);
  }

  async #askAgain(id: number): Promise<void> {
    const { desk, service, pauseMs } = this.#means;
    for (let pause = pauseMs; ; pause = Math.min(pause * 1.2, 60_000)) {
      await new Promise(resolve => setTimeout(resolve, pause));
      const check = this.#list.find(check => check.id === id);
      const trust = this.#trust?.text;
      if (check?.receipt == null || trust === undefined || check.outcome.kind !== 'judged') return;
      const { facts, verdict } = check.outcome.judgement.verification;
      if (facts === null || verdict !== 'not-yet-anchored') return;

      const sent = await askReceipt(service, facts.leafHash);
      const askedAt = Date.now();
      if (typeof sent === 'string') {
        this.#change(id, { waiting: { last: 'unreachable', askedAt } });
        continue;
      }
      const { receipt } = check;
      const completed = await desk.do('complete', { receipt, sent, trust }).catch(() => null);
      if (completed === null || completed === 'pending') {
        this.#change(id, { waiting: { last: completed === null ? 'not-verified' : 'not-yet', askedAt } });
        continue;
      }
      const { judgement } = completed;
      const outcome = { kind: 'judged', judgement, ms: null } as const;
      this.#change(id, { receipt: completed.receipt, outcome, waiting: null, isCompleted: true });
      return;
    }
  }

  #unchecked(name: string | null, reason: Reason): Check {
    const outcome = { kind: 'unchecked', reason } as const;
    const nothing = {
      receipt: null,
      given: null,
      leaf: null,
      waiting: null,
      original: null,
      isCompleted: false,
    };
    return { id: ++this.#last, name, outcome, ...nothing };
  }

  #change(id: number, change: Partial<Check>): void {
    // Of a check that is no longer there, nobody wants to know.
    if (!this.#list.some(check => check.id === id)) return;
    this.#list = this.#list.map(check => (check.id === id ? { ...check, ...change } : check));
    this.#changed();
  }
}
