/** An audit of a log that another process serves, on a chain that is another process: honest ones pass, and each lie is named. */

import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Contract, JsonRpcProvider, Wallet } from 'ethers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatBase64url, formatHex0x, utf8 } from '../../merkle/bytes.ts';
import { readCheckpoint } from '../../merkle/checkpoint.ts';
import { formatEntry, parseEntry } from '../../merkle/entry.ts';
import { keySlot } from '../../merkle/evidence.ts';
import { logId } from '../../merkle/genesis.ts';
import type { NoteSigner } from '../../merkle/note.ts';
import { bundlePath, formatBundle, parseBundle } from '../../merkle/tiles.ts';
import { parseTrust, type TrustedLog } from '../../merkle/trust.ts';
import { readState } from '../../scripts/audit-state.ts';
import { auditReport } from '../../scripts/auditing.ts';
import { readSigner } from '../../scripts/sign.ts';
import type { AuditReport } from '../../service/audit/report.ts';
import { LedgerClient } from '../../service/client/client.ts';
import { signStatement } from '../../service/client/signer.ts';
import { readLogKey } from '../../service/keyfiles.ts';
import { anEvent } from '../helpers/builders.ts';
import { fundedKeys } from '../helpers/chain.ts';
import { cleanEnvironment, runZegel, zegel, zegelJson } from '../helpers/cli.ts';
import { artifacts } from '../helpers/contracts.ts';
import { type LyingRpc, startLyingRpc } from '../helpers/lying-rpc.ts';
import {
  changingBytes,
  changingJsonAt,
  entriesAt,
  type LyingService,
  ServedTree,
  type ServiceLie,
  startLyingService,
} from '../helpers/lying-service.ts';
import { aSite, type ServiceProcess, type Site, siteAgency } from '../helpers/site.ts';

let site: Site;
let service: ServiceProcess;
let proxy: LyingService;
let rpc: LyingRpc;
let log: TrustedLog;
let logKey: NoteSigner;
let folder: string;
/** Of what every audit here is given. */
let size: number;
let entries: readonly Uint8Array[];
let oldKid: string;

const records = 300;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zegel-audit-'));
  site = await aSite('apart');
  // A second key, to be retired.
  const old = join(site.folder, 'old');
  [{ kid: oldKid }] = await zegelJson(
    ['key', 'generate', old, '--agency', siteAgency, '--alg', 'Ed25519'],
    site.env,
  );
  await zegelJson(['key', 'add', `${old}.json`], site.env);
  // Each block of such a node is a second later than the one before: the keys are valid once the clock has come that far.
  const { timestamp } = (await site.chain.ask('eth_getBlockByNumber', 'latest', false)) as {
    timestamp: string;
  };
  await sleep(Math.max(0, Number(timestamp) * 1000 + 1_000 - Date.now()));
  service = await site.serve();
  const client = new LedgerClient(service.url);
  const signer = await readSigner(site.keyFile, undefined);
  const submit = async (i: number) =>
    client.submit(await signStatement(anEvent({ id: `record-${i}` }), site.origin, signer), signer.key);
  for (let from = 0; from < records; from += 50)
    await Promise.all(Array.from({ length: 50 }, (_, i) => submit(from + i)));
  await allAnchored(service.url);

  const trust = parseTrust(await readFile(site.trustFile));
  log = trust.logs[0] ?? fail();
  logKey = await readLogKey(join(site.env['ZEGEL_DATA'] ?? '', 'log.key'), site.origin);
  proxy = await startLyingService(service.url);
  rpc = await startLyingRpc(site.chain.url);
  const checkpoint = await (await fetch(`${service.url}/log/checkpoint`)).text();
  size = readCheckpoint(checkpoint).size;
  entries = await entriesAt(service.url, size);
}, 300_000);
afterAll(async () => {
  await proxy?.stop();
  await rpc?.stop();
  await site?.remove();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  proxy.lie = undefined;
  rpc.lie = undefined;
  rpc.refuse = undefined;
});

function fail(): never {
  throw new Error('the trust file has a log');
}

/** Waits until the newest signed size is an anchored one. */
async function allAnchored(url: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const { sizes } = (await (await fetch(`${url}/v1/log`)).json()) as {
      sizes: { signed: number; final: number };
    };
    if (sizes.signed > records && sizes.final === sizes.signed) return;
    await sleep(100);
  }
  throw new Error('the records were not anchored');
}

/** Audits through both liars. */
function audited(
  changes: Partial<Parameters<typeof auditReport>[0]> = {},
  aheadMs = 0,
): Promise<AuditReport> {
  const now = () => Date.now() + aheadMs;
  return auditReport(
    {
      url: proxy.url,
      rpcUrl: rpc.url,
      trust: site.trustFile,
      confirmations: 0,
      exports: [],
      fromScratch: false,
      timeoutMs: 500,
      ...changes,
    },
    { note: () => undefined, progress: { tell: () => undefined, end: () => undefined }, now },
  );
}

/** Exit code and codes. */
function came({ verdict, counts }: AuditReport) {
  return { verdict, codes: Object.keys(counts.byCode) };
}

const full = `/log/${bundlePath(0, 256)}`;

describe('an honest log', () => {
  it('is audited from a process of its own: 0, and a report for people', async () => {
    const page = join(folder, 'report.html');
    const options = ['--url', service.url, '--rpc', site.chain.url, '--trust', site.trustFile];
    const { code, out, err } = await runZegel(['audit', ...options, '--report', page]);
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(out).toMatch(new RegExp(`^yes: Nothing is wrong with the log ${site.origin}`));
    expect(err).toMatch(/^trust file .* SHA-256 [0-9a-f]{64}$/m);
    expect(await readFile(page, 'utf8')).toContain(`Audit of ${site.origin}`);
  });

  it('is audited by a task of Hardhat as well', async () => {
    const hardhat = fileURLToPath(new URL('../../node_modules/hardhat/dist/src/cli.js', import.meta.url));
    const cwd = fileURLToPath(new URL('../..', import.meta.url));
    const options = ['--url', service.url, '--rpc', site.chain.url, '--trust', site.trustFile, '--json'];
    const typed = ['audit', ...options, '--state', join(folder, 'task.state'), '--from-scratch'];
    const env = cleanEnvironment();
    const { stdout } = await promisify(execFile)(process.execPath, [hardhat, ...typed], { cwd, env });
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'yes', log: { origin: site.origin, size } });
    expect((await readState(join(folder, 'task.state')))?.log.size).toBe(size);
  });

  it('has no finding, through proxies that change nothing', async () => {
    const report = await audited();
    expect(came(report)).toEqual({ verdict: 'yes', codes: [] });
    expect(report.log.size).toBe(size);
    expect(report.figures.agencies).toMatchObject([
      { agency: siteAgency, name: 'Gemeente Voorbeeld', records },
    ]);
    for (const { storageRoot, codeHash, replayed } of report.chain.contracts)
      expect(replayed).toEqual({ storageRoot, codeHash });
  });

  it('is not begun where a file cannot be read or written that it will need hours later', async () => {
    const nowhere = join(folder, 'none', 'file');
    for (const change of [{ exports: [nowhere] }, { report: nowhere }, { state: nowhere }]) {
      let asked = 0;
      proxy.lie = (_, honest) => {
        asked++;
        return honest();
      };
      await expect(audited(change)).rejects.toMatchObject({ exitCode: 2 });
      expect(asked).toBe(0);
    }
  });

  it('is refused by whoever types nonsense, with 2', async () => {
    const trusting = ['--trust', site.trustFile, '--rpc', site.chain.url];
    const codes = await Promise.all([
      runZegel(['audit', '--url', 'nowhere', ...trusting]),
      runZegel(['audit', '--url', service.url, '--rpc', site.chain.url, '--trust', join(folder, 'none')]),
      runZegel(['audit', '--url', service.url, ...trusting, '--origin', 'other.example/1']),
    ]);
    expect(codes.map(({ code }) => code)).toEqual([2, 2, 2]);
  });
});

describe('an audit that is interrupted', () => {
  /** The report without what differs from run to run. */
  const withoutTimes = (json: string) => JSON.stringify({ ...JSON.parse(json), times: null });
  const options = (state: string) => [
    ...['audit', '--url', proxy.url, '--rpc', rpc.url, '--trust', site.trustFile, '--json'],
    ...['--state', state, '--save-every', '256'],
  ];

  it('by kill -9 goes on, and gives the same report, byte for byte but for times', async () => {
    const whole = await runZegel(options(join(folder, 'whole.state')));
    const state = join(folder, 'cut.state');
    // The rest is held back until the first 256 entries are behind it, and the state says so.
    proxy.lie = (path, honest) => (path.startsWith('/log/tile/entries/001') ? 'stall' : honest());
    const child = spawn(process.execPath, [zegel, ...options(state)], { env: cleanEnvironment() });
    const ended = once(child, 'exit');
    while ((await readState(state)) === undefined) await sleep(50);
    child.kill('SIGKILL');
    await ended;
    expect((await readState(state))?.underWay).not.toBeNull();
    expect((await readState(state))?.log.size).toBe(256);

    const bundles: string[] = [];
    proxy.lie = (path, honest) => {
      if (path.startsWith('/log/tile/entries/')) bundles.push(path);
      return honest();
    };
    const resumed = await runZegel(options(state));
    expect(resumed.code).toBe(0);
    expect(resumed.err).toContain(`${state}: going on at entry 256`);
    expect(bundles).toEqual([`/log/${bundlePath(1, size - 256)}`]);
    expect(withoutTimes(resumed.out)).toBe(withoutTimes(whole.out));
    expect((await readState(state))?.underWay).toBeNull();
  });

  it('by kill -9 while it reads an export, too', async () => {
    // An erased record: whoever exports it says no more.
    const [entry = fail(), index] = [entries[1], 1];
    const leafHash = createHash('sha256').update(Uint8Array.of(0)).update(entry).digest('hex');
    const line = `${JSON.stringify({ leafHash, index, entry: formatBase64url(entry), record: null })}\n`;
    const file = join(folder, 'export.ndjson');
    await writeFile(file, line);
    const whole = await runZegel([...options(join(folder, 'whole-export.state')), '--export', file]);
    expect(JSON.parse(whole.out).figures.export).toMatchObject({ lines: 1, erased: 1 });

    const state = join(folder, 'cut-export.state');
    // Nobody ever writes to it.
    await rm(file);
    await promisify(execFile)('mkfifo', [file]);
    const child = spawn(process.execPath, [zegel, ...options(state), '--export', file], {
      env: cleanEnvironment(),
    });
    const ended = once(child, 'exit');
    while ((await readState(state))?.log.size !== size) await sleep(50);
    child.kill('SIGKILL');
    await ended;
    await rm(file);
    await writeFile(file, line);
    const resumed = await runZegel([...options(state), '--export', file]);
    expect(resumed.err).toContain('from the audit that was interrupted');
    expect(withoutTimes(resumed.out)).toBe(withoutTimes(whole.out));
    expect((await readState(state))?.underWay).toBeNull();
  });

  it('when it has ended, leaves a state from which the next reads only what is new', async () => {
    const state = join(folder, 'next.state');
    expect(came(await audited({ state }))).toEqual({ verdict: 'yes', codes: [] });
    const bundles: string[] = [];
    proxy.lie = (path, honest) => {
      if (path.startsWith('/log/tile/entries/')) bundles.push(path);
      return honest();
    };
    const next = await audited({ state });
    expect(came(next)).toEqual({ verdict: 'yes', codes: [] });
    expect(next.earlier?.size).toBe(size);
    // The last one is not full: it is read again, and must begin as it did.
    expect(bundles).toEqual([`/log/${bundlePath(1, size - 256)}`]);
    expect(next.figures.agencies).toMatchObject([{ agency: siteAgency, records }]);
    await audited({ state, fromScratch: true });
    expect(bundles).toHaveLength(3);
  });

  it('does not go on from the state of another log or trust file, or from anything else', async () => {
    const state = join(folder, 'other.state');
    await audited({ state });
    const text = await readFile(state, 'utf8');
    for (const [changed, why] of [
      [text.replaceAll(site.origin, 'other.example/1'), 'it is of the log "other.example/1"'],
      [text.replace(/"trust":"../, '"trust":"zz'), 'it was made with the trust file of SHA-256 zz'],
      [text.replace(/"logId":"0x../, '"logId":"0xzz'), 'another chain or registry'],
      [text.replace('"kinds":{"genesis":1', '"kinds":{"genesis":2'), 'is not the state of an audit'],
      [text.slice(0, -9), 'is not the state of an audit: it is not JSON'],
    ] as const) {
      await writeFile(state, changed);
      await expect(audited({ state })).rejects.toThrow(why);
      await expect(audited({ state })).rejects.toThrow('--from-scratch');
    }
  });

  it('says no when the log does not begin any more as it did', async () => {
    const state = join(folder, 'rewound.state');
    await audited({ state });
    const other = new ServedTree([
      ...entries.slice(0, 5),
      changed(entries[5] ?? fail()),
      ...entries.slice(6),
    ]);
    proxy.lie = other.lie(await other.signed(site.origin, logKey));
    expect(came(await audited({ state }))).toEqual({
      verdict: 'no',
      codes: ['CHECKPOINT_ROOT_DIFFERS', 'CHECKPOINT_FORKED', 'TILE_DIFFERS'],
    });
  });

  it('keeps what it has found, until one from scratch finds it no more', async () => {
    const state = join(folder, 'found.state');
    proxy.lie = changingBytes('/log/tile/0/000', body => body.fill(1, 0, 1));
    expect(came(await audited({ state }))).toEqual({ verdict: 'no', codes: ['TILE_DIFFERS'] });
    proxy.lie = undefined;
    expect(came(await audited({ state }))).toEqual({ verdict: 'no', codes: ['TILE_DIFFERS'] });
    expect(came(await audited({ state, fromScratch: true }))).toEqual({ verdict: 'yes', codes: [] });
    expect(came(await audited({ state }))).toEqual({ verdict: 'yes', codes: [] });
  });
});

/** What a service can do to what it serves. */
const serviceLies: readonly (readonly [
  lie: string,
  how: () => Promise<ServiceLie> | ServiceLie,
  codes: readonly string[],
])[] = [
  [
    'drops a record',
    () => changingBytes(full, body => formatBundle(parseBundle(body).filter((_, i) => i !== 100))),
    ['BUNDLE_MALFORMED'],
  ],
  [
    'drops a record, and mends tiles and bundles',
    async () => {
      const tree = new ServedTree([...entries.slice(0, 100), ...entries.slice(101), entries[100] ?? fail()]);
      return tree.lie(await (await fetch(`${proxy.url}/log/checkpoint`)).text());
    },
    ['CHECKPOINT_ROOT_DIFFERS', 'ENTRY_TIME_DECREASED', 'ANCHOR_ROOT_DIFFERS'],
  ],
  [
    'swaps two records',
    () =>
      changingBytes(full, body => {
        const served = parseBundle(body);
        // Of one millisecond: otherwise it would show by their times as well.
        const time = (at: number) => parseEntry(served[at] ?? fail()).time;
        const at = served.findIndex((_, i) => i > 0 && i + 1 < served.length && time(i) === time(i + 1));
        [served[at], served[at + 1]] = [served[at + 1] ?? fail(), served[at] ?? fail()];
        return formatBundle(served);
      }),
    ['BUNDLE_DIFFERS'],
  ],
  [
    'changes a byte in a bundle',
    () =>
      changingBytes(full, body => {
        // Within the commitment of an entry.
        body[76 * 20 + 2 + 60] = (body[76 * 20 + 2 + 60] ?? 0) ^ 1;
        return body;
      }),
    ['BUNDLE_DIFFERS'],
  ],
  [
    'serves a tile that does not fit',
    () =>
      changingBytes('/log/tile/0/000', body => {
        body[1] = (body[1] ?? 0) ^ 1;
        return body;
      }),
    ['TILE_DIFFERS'],
  ],
  [
    'serves a forked checkpoint, signed, to the auditor only',
    async () => {
      const forked = new ServedTree([...entries.slice(0, -1), changed(entries.at(-1) ?? fail())]);
      const checkpoint = await forked.signed(site.origin, logKey);
      return async (path, honest) => {
        const answer = await honest();
        return path === '/log/checkpoint' ? { ...answer, body: Buffer.from(checkpoint) } : answer;
      };
    },
    ['CHECKPOINT_ROOT_DIFFERS', 'CHECKPOINT_FORKED'],
  ],
  [
    'serves a checkpoint that another key has signed',
    () =>
      changingBytes('/log/checkpoint', body => {
        body[body.length - 10] = body[body.length - 10] === 65 ? 66 : 65;
        return body;
      }),
    ['CHECKPOINT_INVALID'],
  ],
  [
    'omits an anchor from its list',
    () =>
      changingJsonAt<{ items: unknown[] }>('/v1/anchors', page => ({
        ...page,
        items: page.items.filter(item => (item as { size: number }).size !== 1),
      })),
    ['ANCHOR_OMITTED'],
  ],
  [
    'lists an anchor in another block',
    () =>
      changingJsonAt<{ items: { block: number }[] }>('/v1/anchors', page => ({
        ...page,
        items: page.items.map(item => ({ ...item, block: item.block - 1 })),
      })),
    ['ANCHOR_DIFFERS'],
  ],
  [
    'says that it is another log',
    () => changingJsonAt<object>('/v1/log', about => ({ ...about, chainId: '2027' })),
    ['LOG_FOREIGN'],
  ],
];

function changed(entry: Uint8Array): Uint8Array {
  return formatEntry({ ...parseEntry(entry), commitment: new Uint8Array(32).fill(9) });
}

describe('a service that', () => {
  it.each(serviceLies)('%s', async (_, how, codes) => {
    proxy.lie = await how();
    const evidence = join(folder, 'evidence');
    // Some minutes later: a service may take two minutes to list an anchor.
    const report = await audited({ evidence, report: join(folder, 'lie.html') }, 150_000);
    expect(came(report)).toEqual({ verdict: 'no', codes: [...codes].sort(byRank(report)) });
    // Each says where, and shows the bytes.
    for (const { place, proof } of report.findings)
      expect(Object.keys(place).length + Object.keys(proof).length).toBeGreaterThan(0);
  });

  it.each<[string, ServiceLie]>([
    ['stalls for ever', () => 'stall'],
    ['stalls in the middle', (path, honest) => (path.startsWith('/log/tile/entries/') ? 'stall' : honest())],
    [
      'sends HTML with status 200',
      () => ({ status: 200, type: 'text/html', body: utf8('<h1>Service unavailable</h1>') }),
    ],
    ['sends a tile without end', (path, honest) => (path.startsWith('/log/tile/0/') ? 'endless' : honest())],
    ['is not there', () => ({ status: 503, type: 'text/plain', body: utf8('later') })],
  ])('%s could not be checked', async (_, lie) => {
    proxy.lie = lie;
    const report = await audited();
    expect(came(report)).toEqual({ verdict: 'could-not-check', codes: [] });
    expect(report.unchecked).toHaveLength(1);
    // The chain is looked at all the same.
    expect(report.parts.find(({ name }) => name === 'chain')?.checked).toBe('whole');
  });

  it('signed two trees gives a file that zegel verify takes as proof', async () => {
    proxy.lie = await (serviceLies.find(([lie]) => lie.includes('forked'))?.[1] ?? fail)();
    const evidence = join(folder, 'fork');
    const options = ['--url', proxy.url, '--rpc', site.chain.url, '--trust', site.trustFile];
    const { code, out } = await runZegel(['audit', ...options, '--evidence', evidence]);
    expect(code).toBe(1);
    const [, file = ''] = /^evidence {2}(\S+)$/m.exec(out) ?? [];
    const verified = await runZegel(['verify', file, '--trust', site.trustFile]);
    expect(verified.out).toMatch(/fork/);
  });
});

/** In the order of the report. */
function byRank({ counts }: AuditReport): (a: string, b: string) => number {
  const order = Object.keys(counts.byCode);
  return (a, b) => order.indexOf(a) - order.indexOf(b);
}

describe('a node that', () => {
  it('hides a transaction', async () => {
    rpc.lie = async (call, honest) => {
      const answer = await honest();
      if (call.method !== 'eth_getBlockByNumber' || !('result' in answer) || call.params[1] !== true)
        return answer;
      const block = answer.result as { transactions: unknown[] };
      return { result: { ...block, transactions: block.transactions.slice(1) } };
    };
    expect(came(await audited())).toEqual({ verdict: 'no', codes: ['TRANSACTIONS_DIFFER'] });
  });

  it('is on another chain', async () => {
    rpc.lie = (call, honest) => (call.method === 'eth_chainId' ? { result: '0x7e7' } : honest());
    expect(came(await audited())).toEqual({ verdict: 'no', codes: ['CHAIN_OTHER'] });
  });

  it('answers a stale head could not be checked', async () => {
    rpc.lie = (call, honest) =>
      call.params[0] === 'latest'
        ? fetch(site.chain.url, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: call.method, params: ['0x5', false] }),
          }).then(async response => ({ result: ((await response.json()) as { result: unknown }).result }))
        : honest();
    expect(came(await audited())).toEqual({ verdict: 'could-not-check', codes: [] });
  });

  it.each<[string, NonNullable<LyingRpc['refuse']>]>([
    ['stalls for ever', () => true],
    [
      'sends HTML with status 200',
      response => {
        response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hello</h1>');
        return true;
      },
    ],
  ])('%s could not be checked, and the log is read all the same', async (_, refuse) => {
    rpc.refuse = refuse;
    const report = await audited();
    expect(came(report)).toEqual({ verdict: 'could-not-check', codes: [] });
    expect(report.parts.map(({ name, checked }) => [name, checked])).toEqual([
      ['log', 'whole'],
      ['chain', 'no'],
      ['between', 'no'],
      ['records', 'no'],
    ]);
  });
});

describe('what was done behind the contracts, or with stolen keys', () => {
  let snapshot: unknown;
  let provider: JsonRpcProvider;
  let registry: Contract;
  let id: string;

  beforeAll(async () => {
    // All of it is remembered; the service would follow the chain into what is undone again.
    await audited();
    service.child.kill('SIGKILL');
    await service.ended;
    provider = new JsonRpcProvider(site.chain.url, undefined, { cacheTimeout: -1 });
    const thief = new Wallet(fundedKeys[1], provider);
    registry = new Contract(formatHex0x(log.anchorRegistry.address), artifacts.AnchorRegistry.abi, thief);
    id = formatHex0x(logId(log.chain.chainId, log.anchorRegistry.address, log.origin));
  });
  beforeEach(async () => {
    snapshot = await site.chain.ask('evm_snapshot');
  });
  afterEach(async () => {
    await site.chain.ask('evm_revert', snapshot);
  });
  afterAll(() => provider?.destroy());

  const key = () => parseEntry(entries[1] ?? fail()).keyId;

  it('a storage slot that was changed is named', async () => {
    const slot = formatHex0x(keySlot(key(), log.keyRegistry.keysSlot));
    const at = formatHex0x(log.keyRegistry.address);
    await site.chain.ask('hardhat_setStorageAt', at, slot, `0x${'11'.repeat(32)}`);
    await site.chain.ask('hardhat_mine');
    const report = await audited();
    expect(came(report)).toEqual({ verdict: 'no', codes: ['STORAGE_DIFFERS'] });
    expect(report.findings[0]?.place).toMatchObject({ contract: 'KeyRegistry' });
    expect(JSON.stringify(report.findings)).toContain(slot.slice(2));
  });

  it('code that was changed is named', async () => {
    const at = formatHex0x(log.anchorRegistry.address);
    const code = String(await site.chain.ask('eth_getCode', at, 'latest'));
    await site.chain.ask('hardhat_setCode', at, `${code}00`);
    await site.chain.ask('hardhat_mine');
    expect(came(await audited())).toMatchObject({ verdict: 'no', codes: ['CODE_CHANGED'] });
  });

  /** Anchors a tree that goes on from the log's, with the stolen anchor key, and serves it under the stolen log key. */
  async function goesOn(more: readonly Uint8Array[], served = more): Promise<void> {
    const tree = new ServedTree([...entries, ...more]);
    const proof = (await tree.consistency(size)).map(formatHex0x);
    const { length } = tree.entries;
    await (await registry.getFunction('anchor')(id, size, length, formatHex0x(tree.root), proof)).wait();
    const shown = new ServedTree([...entries, ...served]);
    proxy.lie = shown.lie(await shown.signed(site.origin, logKey));
  }

  const last = () => parseEntry(entries.at(-1) ?? fail());
  const record = (changes: {
    readonly time?: number;
    readonly keyId?: Uint8Array;
    readonly commitment?: Uint8Array;
  }) =>
    formatEntry({
      kind: 'audit',
      time: last().time,
      keyId: key(),
      commitment: new Uint8Array(32).fill(1),
      ...changes,
    });
  const chainEntry = (commitment: Uint8Array) =>
    formatEntry({ kind: 'chain', time: last().time, keyId: new Uint8Array(32), commitment });

  it('an entry that goes on honestly has no finding: what is found below is the lie alone', async () => {
    await goesOn([record({})]);
    expect(came(await audited())).toEqual({ verdict: 'yes', codes: [] });
  });

  it('an entry that was back-dated is named', async () => {
    await goesOn([record({ time: last().time - 3_600_000 })]);
    const report = await audited();
    // An hour ago its key was not registered yet; and it waited an hour for its anchor.
    const codes = ['ENTRY_TIME_DECREASED', 'ENTRY_BACKDATED', 'KEY_NOT_VALID', 'ANCHOR_GAP'];
    expect(came(report)).toEqual({ verdict: 'no', codes });
    expect(report.findings.slice(0, 3).map(({ place }) => place.index)).toEqual([size, size, size]);
  });

  it('a chain entry of another chain is named', async () => {
    await goesOn([chainEntry(new Uint8Array(32).fill(0x77))]);
    expect(came(await audited())).toEqual({ verdict: 'no', codes: ['CHAIN_ENTRY_FOREIGN'] });
  });

  it('an entry under a key that nobody registered is named', async () => {
    await goesOn([record({ keyId: new Uint8Array(32).fill(3) })]);
    expect(came(await audited())).toEqual({ verdict: 'no', codes: ['KEY_UNKNOWN'] });
  });

  it('an entry under a retired key is named', async () => {
    const [retired] = await zegelJson(['key', 'retire', oldKid], site.env);
    const end = retired.validUntil * 1000;
    await site.chain.ask('evm_setNextBlockTimestamp', end / 1000 + 10);
    await site.chain.ask('hardhat_mine');
    await goesOn([record({ keyId: Uint8Array.from(Buffer.from(oldKid, 'base64url')), time: end })]);
    expect(came(await audited())).toEqual({ verdict: 'no', codes: ['KEY_NOT_VALID'] });
  });

  it('a root that the log never had is named', async () => {
    const other = record({ commitment: new Uint8Array(32).fill(2) });
    await goesOn([record({}), record({})], [other, other]);
    const report = await audited();
    expect(came(report)).toEqual({ verdict: 'no', codes: ['ANCHOR_ROOT_DIFFERS'] });
    expect(report.findings[0]?.place.size).toBe(size + 2);
  });

  it('an anchor of more than the log shows is named', async () => {
    await goesOn([record({})], []);
    expect(came(await audited())).toEqual({ verdict: 'no', codes: ['CHECKPOINT_BEHIND'] });
  });

  it('a chain that was rewritten since the last audit is named', async () => {
    await site.chain.ask('hardhat_mine');
    const state = join(folder, 'rewritten.state');
    expect(came(await audited({ state }))).toEqual({ verdict: 'yes', codes: [] });
    await site.chain.ask('evm_revert', snapshot);
    snapshot = await site.chain.ask('evm_snapshot');
    await site.chain.ask('evm_increaseTime', 5);
    await site.chain.ask('hardhat_mine', '0x2');
    expect(came(await audited({ state }))).toEqual({ verdict: 'no', codes: ['CHAIN_REWRITTEN'] });
    expect(came(await audited({ state, fromScratch: true }))).toEqual({ verdict: 'yes', codes: [] });
  });
});
