/** The checks under way: what was given, what came out, what is waited for. Whoever shows them is told of every change. */

import { type Check, verdictOf } from './check.ts';
import { complete, type Means } from './completion.ts';
import { type SortedFiles, sortFiles } from './files.ts';
import { type Given, readFragment, readGiven } from './given.ts';
import type { TrustState } from './judge.ts';
import { kindOf } from './kind.ts';
import { askReceipt, maxReceiptBytes } from './sent.ts';
import type { Reason } from './texts.ts';

/** How many receipts are taken at once. */
export const maxReceipts = 1_000;

export class Checks {
  readonly #means: Means;
  readonly #changed: () => void;
  #list: readonly Check[] = [];
  #loose: readonly File[] = [];
  #trust: TrustState | null = null;
  #trustFault: string | null = null;
  /** Settles once the trust file has been read that was given last: until then nothing can be judged. */
  #trusting: Promise<unknown> = Promise.resolve();
  /** Settles once it is known what was given last. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Settles once what is given now has been judged. */
  #working: Promise<void> = Promise.resolve();
  /** Counts what is given. */
  #giving = 0;
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
  async useTrust(text: string, isOwn: boolean): Promise<void> {
    const reading = this.#readTrust(text, isOwn);
    this.#trusting = reading.catch(() => undefined);
    if (!(await reading)) return;
    this.#working = this.#judgeAgain();
    await this.#working;
  }

  /** Gives whether it is one. */
  async #readTrust(text: string, isOwn: boolean): Promise<boolean> {
    const facts = await this.#means.desk.do('trust', { trust: text });
    const isFault = 'fault' in facts;
    this.#trustFault = isFault ? facts.fault : null;
    if (!isFault) {
      this.#trust = { text, facts, isOwn };
      // What rests on another trust file must not be read beside the fingerprint of this one.
      this.#list = this.#list.map(check =>
        check.leaf === null && check.given === null
          ? check
          : { ...check, outcome: { kind: 'busy' }, waiting: null, isCompleted: false },
      );
    }
    this.#changed();
    return !isFault;
  }

  /** What a service has sent is asked for again; what it has completed is completed again. */
  async #judgeAgain(): Promise<void> {
    const trust = this.#trust;
    for (const { id, leaf, given } of this.#list) {
      if (this.#trust !== trust) return;
      if (leaf !== null) await this.#ask(id, leaf);
      else if (given !== null) await this.#judge(id, given);
    }
  }

  /** Takes files: receipts, and what may lie beside them. Receipts replace what was there before. */
  async takeFiles(files: readonly File[]): Promise<void> {
    const { receipts, beside } = await this.#inTurn(() => sortFiles(files));
    if (receipts.length === 0) return this.#takeBeside(beside);
    if (receipts.length > maxReceipts) return this.#refuse(null, 'too-many');
    const list = receipts.map(
      ({ name, receipt }): Check =>
        typeof receipt === 'string'
          ? this.#unchecked(name, receipt)
          : { ...this.#unchecked(name, 'fault'), given: receipt, outcome: { kind: 'busy' } },
    );
    await this.#giveOut(
      list,
      async isCurrent => {
        for (const { id, given } of list) if (given !== null && isCurrent()) await this.#judge(id, given);
      },
      beside.map(({ file }) => file),
    );
  }

  /** One after another, so that what was given last is what is shown, however long it took to read. */
  #inTurn<T>(read: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(read).then(async given => {
      await this.#trusting;
      return given;
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Puts checks in the place of those that were there, does the work on them, and lays beside them what has come with or before them. */
  async #giveOut(
    list: readonly Check[],
    work: (isCurrent: () => boolean) => Promise<void>,
    beside: readonly File[],
  ): Promise<void> {
    // What has waited for a receipt lies beside this one; what lay loose beside others is forgotten with them.
    const files = [...(this.#hasReceipt ? [] : this.#loose), ...beside];
    const giving = this.#replace(list);
    this.#loose = [];
    this.#changed();
    this.#working = work(() => giving === this.#giving);
    await this.#working;
    if (giving === this.#giving) await this.#lay(files);
  }

  /** Files without a receipt: they lie beside those that are there, or wait for one. */
  async #takeBeside(beside: SortedFiles['beside']): Promise<void> {
    const giving = this.#giving;
    await this.#working;
    if (giving !== this.#giving) return;
    const [first] = beside;
    const canWait = beside.every(({ reason }) => reason === 'document' || reason === 'event');
    // What is too large for a receipt is not too large for a document: of that only the hash is taken.
    const canLie = beside.every(({ reason }) => reason === 'too-large') || canWait;
    const files = beside.map(({ file }) => file);
    if (first !== undefined && canLie && this.#hasReceipt) return this.#lay(files);
    this.#refuse(first?.file.name ?? null, first?.reason ?? 'no-receipts');
    this.#loose = canWait ? files : [];
    this.#changed();
  }

  get #hasReceipt(): boolean {
    return this.#list.some(({ receipt }) => receipt !== null);
  }

  /** Gives the number of what is given now. Whoever waited meanwhile, and finds another, has nothing more to say. */
  #replace(list: readonly Check[]): number {
    this.#list = list;
    return ++this.#giving;
  }

  /** Says that something went wrong with all that is there, and not for a second time. Gives whether that is new. */
  giveUp(): boolean {
    const isNew = this.#list.some(
      ({ outcome }) => outcome.kind !== 'unchecked' || outcome.reason !== 'fault',
    );
    if (isNew) this.#refuse(null, 'fault');
    return isNew;
  }

  #refuse(name: string | null, reason: Reason): void {
    this.#replace([this.#unchecked(name, reason)]);
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
    const original = { name: file.name, found: 'busy' } as const;
    this.#change(id, { original });
    const { receipt } = check;
    const found = await this.#means.desk.do('compare', { receipt, file }).catch(() => 'unreadable' as const);
    // A small file may be found while a large one before it is still read: the last one counts.
    if (this.#list.some(check => check.id === id && check.original === original))
      this.#change(id, { original: { name: file.name, found } });
  }

  async #take(given: Given): Promise<void> {
    await this.#inTurn(async () => undefined);
    if (given.kind === 'fault') return this.#refuse(null, given.reason);
    const check = this.#unchecked(null, 'fault');
    await this.#giveOut(
      [{ ...check, outcome: { kind: 'busy' } }],
      () => this.#judgeGiven(check.id, given),
      [],
    );
  }

  async #judgeGiven(id: number, given: Exclude<Given, { readonly kind: 'fault' }>): Promise<void> {
    if (given.kind === 'leaf') return this.#ask(id, given.leaf);
    const { receipt } = given;
    if (receipt.length > maxReceiptBytes) return this.#fail(id, 'too-large');
    const kind = kindOf(receipt);
    if (kind === 'event' || kind === 'trust' || kind === 'fork') return this.#fail(id, kind);
    this.#change(id, { given: receipt });
    await this.#judge(id, receipt);
  }

  /** A service's answer is never a reason to say that something does not match: it may be the service that lies. */
  async #ask(id: number, leaf: string): Promise<void> {
    this.#change(id, { leaf });
    const trust = this.#trust;
    if (trust === null) return this.#fail(id, 'no-trust');
    const sent = await askReceipt(this.#means.service, leaf);
    // What was found by another trust file than the one that is shown now is found again by this one.
    if (this.#trust !== trust) return;
    if (typeof sent === 'string') return this.#fail(id, sent);
    const judgement = await this.#means.desk
      .do('leaf', { receipt: sent, leaf, trust: trust.text })
      .catch(() => undefined);
    if (this.#trust !== trust) return;
    if (judgement === undefined) return this.#fail(id, 'fault');
    if (judgement === null) return this.#fail(id, 'other-record');
    if (judgement.verification.verdict === 'does-not-match') return this.#fail(id, 'not-verified');
    this.#change(id, { receipt: sent, outcome: { kind: 'judged', judgement, ms: null } });
    this.#await(id);
  }

  async #judge(id: number, receipt: Uint8Array): Promise<void> {
    this.#change(id, { receipt });
    const trust = this.#trust;
    if (trust === null) return this.#fail(id, 'no-trust');
    const start = performance.now();
    const judgement = await this.#means.desk.do('judge', { receipt, trust: trust.text }).catch(() => null);
    const ms = performance.now() - start;
    if (this.#trust !== trust) return;
    // A fault of ours, or of the browser: it says nothing about the receipt.
    if (judgement === null) return this.#fail(id, 'fault');
    this.#change(id, { outcome: { kind: 'judged', judgement, ms } });
    this.#await(id);
  }

  #fail(id: number, reason: Reason): void {
    this.#change(id, { outcome: { kind: 'unchecked', reason } });
  }

  /** Lays files beside the receipts: each to the one that it belongs to, or the first to the only one that there is. */
  async #lay(files: readonly File[]): Promise<void> {
    const giving = this.#giving;
    const readable = this.#list.filter(
      ({ outcome }) => outcome.kind === 'judged' && outcome.judgement.content,
    );
    const only = this.#list.length === 1 ? readable[0] : undefined;
    if (only !== undefined && files.length === 1)
      for (const file of files) return this.compare(only.id, file);
    const loose: File[] = [];
    for (const file of files) if (!(await this.#layOne(file, readable))) loose.push(file);
    if (giving !== this.#giving) return;
    // Where none belongs to the only receipt, it is the first that somebody wants to hold against it.
    const [first, ...others] = loose;
    const isHeld = only !== undefined && first !== undefined && loose.length === files.length;
    this.#loose = [...this.#loose, ...(isHeld ? others : loose)];
    this.#changed();
    if (isHeld) await this.compare(only.id, first);
  }

  /** Gives whether a file belongs to one of these. */
  async #layOne(file: File, among: readonly Check[]): Promise<boolean> {
    for (const { id, receipt } of among) {
      if (receipt === null) continue;
      const found = await this.#means.desk.do('compare', { receipt, file }).catch(() => undefined);
      if (found?.kind !== 'event' && found?.kind !== 'event-respelt' && found?.kind !== 'document') continue;
      this.#change(id, { original: { name: file.name, found } });
      return true;
    }
    return false;
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
    const { pauseMs } = this.#means;
    const trust = this.#trust;
    for (let pause = pauseMs; ; pause = Math.min(pause * 1.2, 60_000)) {
      await new Promise(resolve => setTimeout(resolve, pause));
      const check = this.#list.find(check => check.id === id);
      // Where another trust file is used by now, somebody else waits, if there is still anything to wait for.
      if (trust === null || this.#trust !== trust) return;
      if (check?.receipt == null || check.outcome.kind !== 'judged') return;
      const { facts, verdict } = check.outcome.judgement.verification;
      if (facts === null || verdict !== 'not-yet-anchored') return;

      const completed = await complete(this.#means, { receipt: check.receipt, leaf: facts.leafHash, trust });
      if (this.#trust !== trust) return;
      if (typeof completed === 'string') {
        this.#change(id, { waiting: { last: completed, askedAt: Date.now() } });
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
