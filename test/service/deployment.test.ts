/** deployments/<network>/: what is written is read again, and what is wrong is named. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../merkle/bytes.ts';
import { parseTrust } from '../../merkle/trust.ts';
import { type Deployment, readDeployment, writeDeployment } from '../../service/deployment.ts';
import { aNoteSigner } from '../helpers/ledger.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zegel-deployment-'));
});
afterEach(() => rm(folder, { recursive: true }));

const now = Date.parse('2026-11-24T08:00:00.500Z');

function aDeployment(changes: Partial<Deployment> = {}): Deployment {
  const contract = <N extends string>(name: N, i: number) => ({
    name,
    address: new Uint8Array(20).fill(i),
    codeHash: new Uint8Array(32).fill(i),
    block: i,
    transaction: new Uint8Array(32).fill(0x10 + i),
  });
  return {
    network: 'test',
    chainId: '2026',
    genesisHash: new Uint8Array(32).fill(9),
    rules: {
      consensus: 'qbft',
      validators: [{ fromBlock: 0, addresses: [new Uint8Array(20).fill(7)] }],
    },
    contracts: {
      AccessManager: contract('AccessManager', 1),
      AnchorRegistry: contract('AnchorRegistry', 2),
      KeyRegistry: contract('KeyRegistry', 3),
    },
    rootsSlot: 1,
    keysSlot: 1,
    logs: [
      {
        origin: 'ledger.test/1',
        logId: new Uint8Array(32).fill(5),
        verifierKey: aNoteSigner('ledger.test/1').key,
      },
    ],
    agencies: { OVO002949: 'Departement Voorbeeld' },
    ...changes,
  };
}

describe('writeDeployment', () => {
  it('writes what readDeployment reads', async () => {
    const deployment = aDeployment();
    await writeDeployment(folder, deployment, now);
    expect(await readDeployment(folder)).toEqual(deployment);
  });

  it('writes the trust file that verifiers pin, with a sequence that rises', async () => {
    const { rules, genesisHash, contracts, logs } = aDeployment();
    await writeDeployment(folder, aDeployment(), now);
    await writeDeployment(folder, aDeployment({ logs }), now + 1000);
    const text = await readFile(join(folder, 'trust.json'), 'utf8');
    const { address, codeHash } = contracts.AnchorRegistry;
    expect(parseTrust(utf8(text))).toMatchObject({
      sequence: 2,
      issued: '2026-11-24T08:00:01Z',
      chains: [{ chainId: '2026', genesisHash, ...rules }],
      logs: [
        {
          origin: 'ledger.test/1',
          anchorRegistry: { address, codeHash, rootsSlot: 1 },
          verifierKeys: [{ key: logs[0]?.verifierKey }],
        },
      ],
      agencies: new Map([['OVO002949', 'Departement Voorbeeld']]),
    });
    expect(text.endsWith('}\n')).toBe(true);
  });

  it('leaves a trust file alone that says the same, so that its fingerprint on paper stays good', async () => {
    const deployment = aDeployment();
    await writeDeployment(folder, deployment, now);
    const text = await readFile(join(folder, 'trust.json'), 'utf8');
    await writeDeployment(folder, deployment, now + 1000);
    expect(await readFile(join(folder, 'trust.json'), 'utf8')).toBe(text);
  });

  it('writes no trust file as long as there is no log to trust', async () => {
    await writeDeployment(folder, aDeployment({ logs: [] }), now);
    await expect(readFile(join(folder, 'trust.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('readDeployment', () => {
  it('says what to do when there is none', async () => {
    await expect(readDeployment(join(folder, 'none'))).rejects.toThrow('zegel deploy');
  });

  it.each<[string, (file: Record<string, unknown>) => void]>([
    ['version', file => Object.assign(file, { version: 2 })],
    ['surprise', file => Object.assign(file, { surprise: 1 })],
    ['chainId', file => Object.assign(file, { chainId: '0x1' })],
    ['consensus', file => Object.assign(file, { consensus: 'raft' })],
    ['contracts', file => Object.assign(file, { contracts: [] })],
    ['genesisHash', file => Object.assign(file, { genesisHash: '0x12' })],
    ['logs[0].verifierKey', file => Object.assign((file['logs'] as object[])[0] ?? {}, { verifierKey: 'x' })],
  ])('names the fault: %s', async (place, change) => {
    await writeDeployment(folder, aDeployment(), now);
    const path = join(folder, 'deployment.json');
    const file = JSON.parse(await readFile(path, 'utf8'));
    change(file);
    await writeFile(path, JSON.stringify(file));
    await expect(readDeployment(folder)).rejects.toMatchObject({
      name: 'DeploymentError',
      message: expect.stringContaining(place),
    });
  });
});
