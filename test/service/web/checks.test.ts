/** Checks that run into one another: whatever comes late, what is shown belongs to what was given last. */

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../../merkle/bytes.ts';
import { verdictOf } from '../../../service/web/check.ts';
import { Checks } from '../../../service/web/checks.ts';
import { textOfTrust } from '../../../service/web/files.ts';
import { Desk } from '../../../service/web/worker.ts';
import { forge } from '../../helpers/forge.ts';
import { type Exhibits, leafOf, someExhibits, textOf, withoutRecord } from '../../helpers/page-tour.ts';

/** A file that is read no further than its beginning before it is let go. */
class SlowFile extends File {
  #let: () => void = () => undefined;
  readonly #held = new Promise<void>(resolve => {
    this.#let = resolve;
  });

  letGo(): void {
    this.#let();
  }
  override async arrayBuffer() {
    await this.#held;
    return super.arrayBuffer();
  }
  override stream() {
    const held = this.#held;
    const transform: Transformer<Uint8Array>['transform'] = async (part, to) => {
      await held;
      to.enqueue(part);
    };
    return super.stream().pipeThrough(new TransformStream({ transform }));
  }
}

let exhibits: Exhibits;
beforeAll(async () => {
  exhibits = await someExhibits();
});

/** Questions to the service that wait for their answer. */
let asked: ServerResponse[];
let asking: () => Promise<ServerResponse>;
let checks: Checks;
let close: () => void;
beforeEach(async () => {
  asked = [];
  let came: (() => void) | undefined;
  const server = createServer((_, answer) => {
    asked.push(answer);
    came?.();
  });
  let met = 0;
  asking = async () => {
    while (asked.length <= met)
      await new Promise<void>(resolve => {
        came = resolve;
      });
    const answer = asked[met++];
    if (answer === undefined) throw new Error('nobody asks');
    return answer;
  };
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  // It listens on a port, not on a path.
  const service = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // There are no workers here, so all is done where the test is.
  checks = new Checks({ desk: new Desk(''), service, pauseMs: 1 }, () => undefined);
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  await checks.useTrust(exhibits.trust, false);
});
afterEach(() => close());

const file = (name: string, content: Uint8Array | string) =>
  new File([typeof content === 'string' ? content : new Uint8Array(content)], name);
const slowFile = (name: string, content: Uint8Array | string) =>
  new SlowFile([typeof content === 'string' ? content : new Uint8Array(content)], name);
const verdicts = () => checks.list.map(verdictOf);
const loose = () => checks.loose.map(({ name }) => name);
const found = () =>
  checks.list.map(({ original }) =>
    typeof original?.found === 'object' ? [original.name, original.found.kind] : original,
  );

describe('another trust file', () => {
  it('is never shown beside what was found by the one before', async () => {
    await checks.useTrust(exhibits.developmentTrust, true);
    const proofOnly = textOf(withoutRecord(exhibits.development));
    const given = checks.takeText(leafOf(exhibits.development));
    const first = await asking();
    const swapped = checks.useTrust(exhibits.trust, false);
    const second = await asking();
    expect(verdicts()).toEqual(['busy']);
    second.end(proofOnly);
    await swapped;
    expect(verdicts()).toEqual(['could-not-check']);
    first.end(proofOnly);
    await given;
    expect(verdicts()).toEqual(['could-not-check']);
  });

  it('is read as it stands, so that the fingerprint is the file’s', async () => {
    expect(await textOfTrust(file('trust.json', exhibits.trust))).toBe(exhibits.trust);
    for (const text of [`\ufeff${exhibits.trust}`, new Uint8Array([0xff]), new Uint8Array(9 * 1024 * 1024)]) {
      await checks.useTrust(await textOfTrust(file('trust.json', text)), true);
      expect(checks.trustFault).not.toBeNull();
      expect(checks.trust?.isOwn).toBe(false);
    }
  });

  it('has everything under judgement at once, before any of it is judged again', async () => {
    await checks.takeFiles([file('a.json', textOf(exhibits.good)), file('b.json', textOf(exhibits.batch))]);
    expect(verdicts()).toEqual(['matches', 'matches']);
    const swapped = checks.useTrust(exhibits.developmentTrust, true);
    while (checks.trust?.isOwn !== true) await Promise.resolve();
    expect(verdicts()).toEqual(['busy', 'busy']);
    await swapped;
    expect(verdicts()).not.toContain('busy');
  });

  it('does not have a receipt completed by the one before, and is waited with once', async () => {
    await checks.takeFiles([file('a.json', textOf(exhibits.pending))]);
    const first = await asking();
    await checks.useTrust(`${exhibits.trust} `, true);
    first.end(textOf(exhibits.proofOnly));
    const second = await asking();
    expect(verdicts()).toEqual(['not-yet-anchored']);
    second.writeHead(404).end();
    const third = await asking();
    expect(checks.list[0]?.waiting?.last).toBe('not-found');
    expect(asked).toHaveLength(3);
    third.end(textOf(exhibits.proofOnly));
    while (verdicts()[0] !== 'matches') await new Promise(setImmediate);
    expect(asked).toHaveLength(3);
  });
});

describe('what is given while something else is under way', () => {
  it('is what is shown, also where the first was slower to read', async () => {
    const slow = slowFile('slow.json', textOf(exhibits.tampered));
    const given = [
      checks.takeFiles([slow]),
      checks.takeFiles([file('fast.json', textOf(exhibits.good))]),
      checks.takeText(textOf(exhibits.batch)),
    ];
    slow.letGo();
    await Promise.all(given);
    expect(checks.list).toMatchObject([{ name: null }]);
    expect(verdicts()).toEqual(['matches']);
  });

  it('is never held against the document that came with something else', async () => {
    const slow = slowFile('other.pdf', '%PDF-1.4 other');
    // Long enough to judge, and beside the thread, that the second is given meanwhile.
    const { bytes } = await forge({ alg: 'RS256' });
    const many = Array.from({ length: 50 }, (_, i) => file(`${i}.json`, bytes));
    const first = checks.takeFiles([...many, slow]);
    while (!verdicts().includes('matches')) await new Promise(setImmediate);
    const second = checks.takeFiles([file('b.json', textOf(exhibits.document))]);
    slow.letGo();
    await Promise.all([first, second]);
    expect(found()).toEqual([null]);
    expect(verdicts()).toEqual(['matches']);
  });

  it('waits, where it is a document, for the receipt that it came after', async () => {
    const slow = slowFile('a.json', textOf(exhibits.document));
    const given = [checks.takeFiles([slow]), checks.takeFiles([file('besluit.pdf', exhibits.decision)])];
    slow.letGo();
    await Promise.all(given);
    expect(found()).toEqual([['besluit.pdf', 'document']]);
  });
});

describe('several files beside one receipt', () => {
  it.each([
    ['the right one first', ['besluit.pdf', 'other.pdf']],
    ['the right one last', ['other.pdf', 'besluit.pdf']],
  ])('are told apart, with %s', async (_, names) => {
    const beside = { 'besluit.pdf': exhibits.decision, 'other.pdf': '%PDF-1.4 other' };
    const files = Object.entries(beside).map(([name, content]) => file(name, content));
    files.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
    await checks.takeFiles([file('a.json', textOf(exhibits.document)), ...files]);
    expect(found()).toEqual([['besluit.pdf', 'document']]);
    expect(verdicts()).toEqual(['matches']);
    expect(loose()).toEqual(['other.pdf']);
  });

  it('are held against it where none belongs to it', async () => {
    const files = ['x.pdf', 'y.pdf'].map(name => file(name, `%PDF-1.4 ${name}`));
    await checks.takeFiles([file('a.json', textOf(exhibits.document)), ...files]);
    expect(found()).toEqual([['x.pdf', 'other-document']]);
    expect(loose()).toEqual(['y.pdf']);
  });
});

describe('a file beside a receipt', () => {
  it('that lay loose beside others is not held against the next one', async () => {
    const two = [file('a.json', textOf(exhibits.good)), file('b.json', textOf(exhibits.batch))];
    await checks.takeFiles([...two, file('other.pdf', '%PDF-1.4 other')]);
    expect(loose()).toEqual(['other.pdf']);
    await checks.takeText(textOf(exhibits.document));
    expect(found()).toEqual([null]);
    expect(verdicts()).toEqual(['matches']);
    expect(loose()).toEqual([]);
  });

  it('gives way to the one that is chosen after it, also where it is read to its end later', async () => {
    await checks.takeFiles([file('a.json', textOf(exhibits.document))]);
    const id = checks.list[0]?.id ?? 0;
    const slow = slowFile('other.pdf', new Uint8Array(100_000));
    const first = checks.compare(id, slow);
    await checks.compare(id, file('besluit.pdf', exhibits.decision));
    slow.letGo();
    await first;
    expect(found()).toEqual([['besluit.pdf', 'document']]);
    expect(verdicts()).toEqual(['matches']);
  });

  it('may be larger than any receipt, and leaves the verdict where it is', async () => {
    await checks.takeFiles([file('a.json', textOf(exhibits.good))]);
    await checks.takeFiles([file('film.bin', new Uint8Array(9 * 1024 * 1024))]);
    expect(found()).toEqual([['film.bin', 'no-fingerprint']]);
    expect(verdicts()).toEqual(['matches']);
  });
});

describe('a file of lines', () => {
  it('has no receipt on an empty one', async () => {
    const lines = utf8(`${textOf(exhibits.good)}\n\r\n${textOf(exhibits.batch)}\n\n`);
    await checks.takeFiles([file('receipts.ndjson', lines)]);
    expect(checks.list.map(({ name }) => name)).toEqual(['receipts.ndjson:1', 'receipts.ndjson:3']);
    expect(verdicts()).toEqual(['matches', 'matches']);
  });
});
