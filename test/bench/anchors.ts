/**
 * Makes a chain of many anchors on a Hardhat node, and prints what a trust file says of it. A program of its own, so that what it takes
 * to make them is not in the figures of the audit.
 *
 *     node test/bench/anchors.ts <url> <anchors>
 */

import { Interface, JsonRpcProvider, toQuantity, Wallet } from 'ethers';
import { fundedKeys } from '../helpers/chain.ts';
import { artifacts, deployRegistries } from '../helpers/contracts.ts';
import { Twin } from '../helpers/twin.ts';

const [url = '', count = '1000'] = process.argv.slice(2);
const anchors = Number(count);
const origin = 'ledger.test/bench';
/** Entries between two anchors. */
const step = 10;
const batchSize = 100;

const provider = new JsonRpcProvider(url, undefined, {
  staticNetwork: true,
  batchMaxCount: 1,
  cacheTimeout: -1,
});
const admin = new Wallet(fundedKeys[0], provider);
const { deployment, anchorRegistry } = await deployRegistries(admin);
const { contracts, rootsSlot, keysSlot } = deployment;
const tree = Twin.of();
const opened = [origin, admin.address, tree.root(1)] as const;
const logId: string = await anchorRegistry.getFunction('openLog').staticCall(...opened);
await (await anchorRegistry.getFunction('openLog')(...opened)).wait();

const registry = new Interface(artifacts.AnchorRegistry.abi);
for (let at = 0; at < anchors; at += batchSize) {
  const calls = Array.from({ length: Math.min(batchSize, anchors - at) }, (_, i) => {
    const oldSize = 1 + (at + i) * step;
    const newSize = oldSize + step;
    const proof = tree.proof(oldSize, newSize);
    return registry.encodeFunctionData('anchor', [logId, oldSize, newSize, tree.root(newSize), proof]);
  });
  await sendAll(calls);
}
const genesis = (await provider.send('eth_getBlockByNumber', ['0x0', false])) as { readonly hash: string };
const chainId = String(BigInt(await provider.send('eth_chainId', [])));
const made = { origin, chainId, genesisHash: genesis.hash, contracts, rootsSlot, keysSlot };
process.stdout.write(JSON.stringify(made));
provider.destroy();

export type MadeAnchors = typeof made;

/** The node knows the administrator's key, and makes a block for each call. */
async function sendAll(calls: readonly string[]): Promise<void> {
  const requests = calls.map((data, id) => ({
    jsonrpc: '2.0',
    id,
    method: 'eth_sendTransaction',
    params: [{ from: admin.address, to: contracts.AnchorRegistry.address, data, gas: toQuantity(500_000) }],
  }));
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(requests),
  });
  const answers = (await response.json()) as { readonly error?: { readonly message: string } }[];
  const failed = answers.find(({ error }) => error !== undefined);
  if (failed !== undefined) throw new Error(`an anchor was refused: ${failed.error?.message}`);
}
