/** What verifiers and auditors rely on in the compiled contracts: slots, packing, identifiers, one code on every network. */

import { type BrowserProvider, getBytes, keccak256, toBeHex } from 'ethers';
import { afterAll, describe, expect, it } from 'vitest';
import { formatHex0x, utf8 } from '../../merkle/bytes.ts';
import {
  keySlot,
  mappingSlot,
  noEnd,
  parseKeySlot,
  rootSlot,
  verifyAccount,
  verifySlot,
  wordOf,
} from '../../merkle/evidence.ts';
import { logId } from '../../merkle/genesis.ts';
import { canonicalJwk, parseJwk, thumbprint } from '../../merkle/jwk.ts';
import { NodeBag } from '../../merkle/trie.ts';
import { encodeAgency } from '../../service/abi.ts';
import { keysSlot, rootsSlot } from '../../service/deploy.ts';
import {
  artifact,
  artifacts,
  deployRegistries,
  type EmbeddedChain,
  embeddedChain,
  type Registries,
} from '../helpers/contracts.ts';
import { Twin } from '../helpers/twin.ts';

const origin = 'ledger.example/2026';
const log = Twin.of();

const chains: EmbeddedChain[] = [];
afterAll(async () => {
  for (const chain of chains) await chain.close();
});

type World = Registries & { readonly provider: BrowserProvider };

async function aWorld(override: Parameters<typeof embeddedChain>[0] = {}): Promise<World> {
  const chain = await embeddedChain(override);
  chains.push(chain);
  return { provider: chain.provider, ...(await deployRegistries(chain.signer)) };
}

/** Opens a log and anchors these sizes after 1. */
async function anAnchoredLog({ anchorRegistry, rolesGrantedTo }: World, ...sizes: readonly number[]) {
  await anchorRegistry.getFunction('openLog').send(origin, rolesGrantedTo, log.root(1));
  const id = logId('31337', getBytes(await anchorRegistry.getAddress()), origin);
  let head = 1;
  for (const size of sizes) {
    await anchorRegistry.getFunction('anchor').send(id, head, size, log.root(size), log.proof(head, size));
    head = size;
  }
  return id;
}

const jwkText = canonicalJwk(
  parseJwk(utf8('{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}')),
);
const jwk = parseJwk(utf8(jwkText));

async function aRegisteredKey({ keyRegistry, rolesGrantedTo }: World, agency: string): Promise<Uint8Array> {
  await keyRegistry.getFunction('registerAgency').send(encodeAgency(agency), 'An agency', rolesGrantedTo);
  await keyRegistry
    .getFunction('addKey')
    .send(encodeAgency(agency), 6, utf8(jwkText), 4_000_000_000, noEnd, '0x');
  return thumbprint(jwk);
}

describe('AnchorRegistry in storage', () => {
  it('keeps each root where evidence looks for it, and no root anywhere else', async () => {
    const world = await aWorld();
    const id = await anAnchoredLog(world, 3, 70);
    const address = await world.anchorRegistry.getAddress();
    for (const size of [1, 3, 70]) {
      const word = await world.provider.getStorage(address, formatHex0x(rootSlot(id, size, rootsSlot)));
      expect(word).toBe(formatHex0x(log.root(size)));
    }
    const between = await world.provider.getStorage(address, formatHex0x(rootSlot(id, 2, rootsSlot)));
    expect(between).toBe(toBeHex(0, 32));
  });

  it('packs anchorer, size, paused and closed into one slot of the second mapping', async () => {
    const world = await aWorld();
    const id = await anAnchoredLog(world, 70);
    const head = async () =>
      BigInt(
        await world.provider.getStorage(
          await world.anchorRegistry.getAddress(),
          formatHex0x(mappingSlot(id, wordOf(2))),
        ),
      );
    const word = BigInt(world.rolesGrantedTo) | (70n << 160n);
    expect(await head()).toBe(word);
    await world.anchorRegistry.getFunction('setPaused').send(id, true);
    expect(await head()).toBe(word | (1n << 224n));
    await world.anchorRegistry.getFunction('closeLog').send(id);
    expect(await head()).toBe(word | (1n << 224n) | (1n << 232n));
  });

  it('names a log as the core does', async () => {
    const world = await aWorld();
    const id = await world.anchorRegistry
      .getFunction('openLog')
      .staticCall(origin, world.rolesGrantedTo, log.root(1));
    expect(id).toBe(formatHex0x(logId('31337', getBytes(await world.anchorRegistry.getAddress()), origin)));
  });
});

describe('KeyRegistry in storage', () => {
  it('keeps a key where evidence looks for it, in one word that the core reads', async () => {
    const world = await aWorld();
    const agency = 'OVO:00.29-49ABCDEFGHI';
    const keyId = await aRegisteredKey(world, agency);
    const address = await world.keyRegistry.getAddress();
    const word = await world.provider.getStorage(address, formatHex0x(keySlot(keyId, keysSlot)));

    // Big-endian: validUntil, validFrom, algorithm, agency.
    expect(word).toBe(`0xffffffffff00ee6b280006${Buffer.from(agency).toString('hex')}`);
    expect(parseKeySlot(getBytes(word))).toEqual({
      agency,
      algorithm: 6,
      validFrom: 4_000_000_000,
      validUntil: noEnd,
    });
  });

  it('names a key by its RFC 7638 thumbprint', async () => {
    const world = await aWorld();
    const keyId = await aRegisteredKey(world, 'A');
    const key = await world.keyRegistry.getFunction('keyOf')(keyId);
    expect(key.agency).toBe(encodeAgency('A'));
  });
});

describe('evidence', () => {
  it('is proved by a chain from the state root to root and key', async () => {
    const world = await aWorld();
    const id = await anAnchoredLog(world, 70);
    const keyId = await aRegisteredKey(world, 'A');
    const { stateRoot } = await world.provider.send('eth_getBlockByNumber', ['latest', false]);

    const prove = async (name: 'AnchorRegistry' | 'KeyRegistry', slot: Uint8Array) => {
      const { address, codeHash } = world.deployment.contracts[name];
      const answer = await world.provider.send('eth_getProof', [address, [formatHex0x(slot)], 'latest']);
      const nodes: string[] = [...answer.accountProof, ...answer.storageProof[0].proof];
      const bag = new NodeBag(nodes.map(node => getBytes(node)));
      const storageRoot = verifyAccount(bag, getBytes(stateRoot), getBytes(address), getBytes(codeHash));
      return verifySlot(bag, storageRoot, slot);
    };
    expect(await prove('AnchorRegistry', rootSlot(id, 70, rootsSlot))).toEqual(log.root(70));
    expect(parseKeySlot(await prove('KeyRegistry', keySlot(keyId, keysSlot)))).toMatchObject({ agency: 'A' });
  });
});

describe('the code', () => {
  it('is the same on every network, whatever its number and its fork', async () => {
    const codeHashes = async (world: World) =>
      Object.values(world.deployment.contracts).map(({ codeHash }) => codeHash);
    const compiled = Object.values(artifacts).map(({ deployedBytecode }) => keccak256(deployedBytecode));
    expect(await codeHashes(await aWorld())).toEqual(compiled);
    // Paris code: it runs where geth's Clique chains stopped.
    expect(await codeHashes(await aWorld({ chainId: 2026, hardfork: 'merge' }))).toEqual(compiled);
  });

  it.each(['AnchorRegistry', 'KeyRegistry'] as const)(
    'of %s has no immutables, reads no block number and runs no other code as its own',
    name => {
      expect(artifact(name)).toMatchObject({ immutableReferences: {} });
      const used = new Set(opcodes(getBytes(artifact(name).deployedBytecode)));
      for (const [opcode, mnemonic] of forbidden)
        expect([mnemonic, used.has(opcode)]).toEqual([mnemonic, false]);
      // The reading is right: what must be there is there.
      for (const present of [
        0x42 /* TIMESTAMP */, 0x54 /* SLOAD */, 0x55 /* SSTORE */, 0xfa /* STATICCALL */,
      ]) {
        if (present !== 0x42 || name === 'KeyRegistry') expect(used).toContain(present);
      }
    },
  );
});

const forbidden = [
  [0x40, 'BLOCKHASH'],
  [0x41, 'COINBASE'],
  [0x43, 'NUMBER'],
  [0x44, 'PREVRANDAO'],
  [0xf0, 'CREATE'],
  [0xf2, 'CALLCODE'],
  [0xf4, 'DELEGATECALL'],
  [0xf5, 'CREATE2'],
  [0xff, 'SELFDESTRUCT'],
] as const;

/** The instructions of a contract, without the bytes that PUSH1 to PUSH32 push and the compiler's note at the end. */
function opcodes(code: Uint8Array): number[] {
  // The last two bytes say how long that note is.
  const noteLength = ((code[code.length - 2] ?? 0) << 8) + (code[code.length - 1] ?? 0);
  const end = code.length - 2 - noteLength;
  const found: number[] = [];
  for (let at = 0; at < end; at++) {
    const opcode = code[at] ?? 0;
    found.push(opcode);
    if (opcode >= 0x60 && opcode <= 0x7f) at += opcode - 0x5f;
  }
  return found;
}
