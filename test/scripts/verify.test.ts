/** `zegel verify` says what the core says, in lines and in JSON, and its exit code is that of the worst receipt. */

import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseUtf8 } from '../../merkle/bytes.ts';
import { formatCheckpoint } from '../../merkle/checkpoint.ts';
import { formatFork } from '../../merkle/fork.ts';
import { formatTrust } from '../../merkle/trust.ts';
import { testOrigin } from '../helpers/builders.ts';
import { cleanEnvironment, runZegel, zegel } from '../helpers/cli.ts';
import { aTrust, forge, logKeys, signAll } from '../helpers/forge.ts';
import {
  type ReceiptVector,
  readVectors,
  readVectorTrustFile,
  vectorsNote,
  vectorsPresent,
  vectorTrustFiles,
} from '../helpers/receipt-vectors.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zegel-verify-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileWith(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe('exit codes', () => {
  it('are 0 for a receipt that matches, 1 for a changed one, 3 for one not yet anchored, and the worst of several', async () => {
    const forged = await forge();
    const pending = await forge({ pending: true });
    const trust = await fileWith('trust.json', formatTrust(forged.trust));
    const good = await fileWith('good.json', forged.bytes);
    const changed = await fileWith('changed.json', parseUtf8(forged.bytes).replace('"index":', '"index":1'));
    const waiting = await fileWith('waiting.json', pending.bytes);
    const exit = async (...files: string[]) => (await runZegel(['verify', ...files, '--trust', trust])).code;
    expect(await exit(good)).toBe(0);
    expect(await exit(changed)).toBe(1);
    expect(await exit(waiting)).toBe(3);
    expect(await exit(good, waiting)).toBe(3);
    expect(await exit(waiting, changed, good)).toBe(1);
  });

  it('are the worst of the receipts on the lines of a file that ends in .ndjson', async () => {
    const { trust, bytes } = await forge();
    const good = parseUtf8(bytes);
    const changed = good.replace('"index":', '"index":1');
    const trustFile = await fileWith('trust.json', formatTrust(trust));
    const verify = async (name: string, content: string) => {
      const file = await fileWith(name, content);
      const { code, out } = await runZegel(['verify', file, '--trust', trustFile, '--json']);
      const lines = out
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line));
      return { code, said: lines.map(({ receipt, verdict }) => [receipt.slice(folder.length + 1), verdict]) };
    };
    expect(await verify('two.ndjson', `${good}\n${good}\n`)).toEqual({
      code: 0,
      said: [
        ['two.ndjson:1', 'matches'],
        ['two.ndjson:2', 'matches'],
      ],
    });
    expect(await verify('bad.ndjson', `${good}\n${changed}\n${' '.repeat(9 << 20)}\n${good}`)).toEqual({
      code: 1,
      said: [
        ['bad.ndjson:1', 'matches'],
        ['bad.ndjson:2', 'does-not-match'],
        ['bad.ndjson:3', 'could-not-check'],
        ['bad.ndjson:4', 'matches'],
      ],
    });
    expect(await verify('none.ndjson', '')).toEqual({ code: 3, said: [['none.ndjson', 'could-not-check']] });
    const missing = join(folder, 'missing.ndjson');
    expect(await runZegel(['verify', missing, '--trust', trustFile])).toMatchObject({ code: 3 });
  });

  it('are 0 for evidence that proves a fork, which is bad news, and 1 where it proves none', async () => {
    const root = (byte: number) => new Uint8Array(32).fill(byte);
    const sign = (byte: number, size = 9) =>
      signAll(formatCheckpoint({ origin: testOrigin, size, root: root(byte) }), [logKeys.present]);
    const trust = await fileWith('trust.json', formatTrust(aTrust()));
    const proof = await fileWith(
      'fork.json',
      formatFork({ checkpoints: [await sign(1), await sign(2)], nodes: [] }),
    );
    const none = await fileWith(
      'none.json',
      formatFork({ checkpoints: [await sign(1), await sign(1)], nodes: [] }),
    );
    const found = await runZegel(['verify', proof, '--trust', trust]);
    expect(found).toMatchObject({
      code: 0,
      out: expect.stringContaining('proves-fork: the log "ledger.example/2026" signed two roots for size 9'),
    });
    const refused = await runZegel(['verify', none, '--trust', trust, '--json']);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.out)).toEqual({
      file: none,
      verdict: 'does-not-prove-fork',
      fork: null,
      detail: 'both checkpoints have one root for size 9',
    });
    const { out } = await runZegel(['verify', proof, '--trust', trust, '--json']);
    expect(JSON.parse(out)).toMatchObject({
      verdict: 'proves-fork',
      fork: [
        { size: 9, root: '01'.repeat(32) },
        { size: 9, root: '02'.repeat(32) },
      ],
    });
  });

  it('are 3 for a receipt that is not there, and 2 for a trust file that cannot be used', async () => {
    const { trust, bytes } = await forge();
    const trustFile = await fileWith('trust.json', formatTrust(trust));
    const good = await fileWith('good.json', bytes);
    const missing = await runZegel(['verify', join(folder, 'missing.json'), '--trust', trustFile]);
    expect(missing).toMatchObject({ code: 3, out: expect.stringContaining('could-not-check') });
    for (const file of [join(folder, 'none.json'), good]) {
      expect(await runZegel(['verify', good, '--trust', file])).toMatchObject({ code: 2, out: '' });
    }
    expect((await runZegel(['verify', good])).code).toBe(2);
    expect((await runZegel(['verify', '--trust', trustFile])).code).toBe(2);
  });

  it('are 3 for a file that is too large to be a receipt', async () => {
    const { trust } = await forge();
    const trustFile = await fileWith('trust.json', formatTrust(trust));
    const huge = await fileWith('huge.json', new Uint8Array(8 * 1024 * 1024 + 1).fill(32));
    const { code, out } = await runZegel(['verify', huge, '--trust', trustFile]);
    expect(out).toContain('could-not-check');
    expect(code).toBe(3);
  });

  // A network namespace of its own has no network at all, not even the loopback.
  const canUnshare = spawnSync('unshare', ['-n', 'true']).status === 0;
  it.skipIf(!canUnshare)(
    'are the same with the network down (skipped where unshare -n is not allowed)',
    async () => {
      const { trust, bytes } = await forge();
      const trustFile = await fileWith('trust.json', formatTrust(trust));
      const good = await fileWith('good.json', bytes);
      const changed = await fileWith('changed.json', parseUtf8(bytes).replace('"index":', '"index":1'));
      const exit = (file: string) =>
        spawnSync('unshare', ['-n', process.execPath, zegel, 'verify', file, '--trust', trustFile], {
          env: cleanEnvironment(),
        }).status;
      expect(exit(good)).toBe(0);
      expect(exit(changed)).toBe(1);
    },
  );

  it('come with the fingerprint of the trust file', async () => {
    const { trust, bytes } = await forge();
    const trustFile = await fileWith('trust.json', formatTrust(trust));
    const { err } = await runZegel(['verify', await fileWith('good.json', bytes), '--trust', trustFile]);
    expect(err).toMatch(/SHA-256 [0-9a-f]{64}\n$/);
  });
});

describe.skipIf(!vectorsPresent)(`vectors/receipts${vectorsNote}`, () => {
  const byTrust = new Map<string, ReceiptVector[]>();
  for (const vector of readVectors()) {
    byTrust.set(vector.trust, [...(byTrust.get(vector.trust) ?? []), vector]);
  }

  it.each(vectorTrustFiles)('come out as expected with %s', async trustFile => {
    const vectors = byTrust.get(trustFile) ?? [];
    expect(vectors).not.toHaveLength(0);
    const trust = await fileWith(trustFile, readVectorTrustFile(trustFile));
    const files = await Promise.all(vectors.map(({ name, receipt }) => fileWith(`${name}.json`, receipt)));
    const { code, out } = await runZegel(['verify', ...files, '--trust', trust, '--json']);
    const results = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(results).toHaveLength(vectors.length);
    for (const [i, { name, expect: wanted }] of vectors.entries()) {
      const { receipt, verdict, finality, steps, facts } = results[i];
      expect(receipt).toBe(files[i]);
      expect({ name, verdict, facts }).toEqual({
        name,
        verdict: wanted.verdict,
        facts: wanted.facts ?? null,
      });
      expect({ name, step: steps.find((step: { ok: unknown }) => step.ok === false)?.name }).toEqual({
        name,
        step: wanted.step,
      });
      const isProved = wanted.verdict === 'matches' && wanted.finality === undefined;
      expect({ name, finality }).toEqual({ name, finality: isProved ? 'proved' : 'unproved' });
    }
    const verdicts = vectors.map(vector => vector.expect.verdict);
    expect(code).toBe(
      verdicts.includes('does-not-match') ? 1 : verdicts.includes('not-yet-anchored') ? 3 : 0,
    );
  });
});
