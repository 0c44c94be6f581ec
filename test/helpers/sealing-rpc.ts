/** A chain that seals: a proxy in front of a node that nobody seals on, which gives each of its blocks the seals of test validators. */

import { formatHex0x } from '../../merkle/bytes.ts';
import type { TrustedChain } from '../../merkle/trust.ts';
import { type LyingRpc, startLyingRpc } from './lying-rpc.ts';
import { type QbftSealing, resealClique, resealQbft, type Validator } from './sealer.ts';

export type SealingRpc = LyingRpc & {
  /** What a trust file says of this chain. */
  readonly chain: TrustedChain;
};

type Block = Readonly<Record<string, unknown>>;
type Reseal = (
  block: Block,
  number: number,
) => { readonly hash: Uint8Array; readonly block: Record<string, unknown> };

/** Under QBFT. @param sealing how the block of a number is sealed */
export function startQbft(
  url: string,
  chainId: string,
  validators: readonly Validator[],
  sealing: (number: number) => QbftSealing = () => ({ signers: validators }),
): Promise<SealingRpc> {
  return startSealing(url, chainId, 'qbft', validators, (block, number) =>
    resealQbft(block, sealing(number)),
  );
}

/** Under Clique, whose signers take turns unless the test says otherwise. */
export function startClique(
  url: string,
  chainId: string,
  signers: readonly [Validator, ...Validator[]],
  signerOf: (number: number) => Validator = number => signers[number % signers.length] ?? signers[0],
): Promise<SealingRpc> {
  return startSealing(url, chainId, 'clique', signers, (block, number) =>
    resealClique(block, signerOf(number)),
  );
}

async function startSealing(
  url: string,
  chainId: string,
  consensus: 'qbft' | 'clique',
  validators: readonly Validator[],
  reseal: Reseal,
): Promise<SealingRpc> {
  const behind = await startLyingRpc(url);
  // Each block names the one before it by its new hash.
  const sealed = new Map<number, { readonly hash: Uint8Array; readonly block: Block }>();
  async function sealedBlock(number: number, ask: (number: number) => Promise<Block>): Promise<Block> {
    const known = sealed.get(number);
    const original = await ask(number);
    if (known !== undefined) return { ...known.block, transactions: original['transactions'] };
    if (number > 0) await sealedBlock(number - 1, ask);
    const parent = sealed.get(number - 1);
    const linked = parent === undefined ? original : { ...original, parentHash: formatHex0x(parent.hash) };
    const now = reseal(linked, number);
    sealed.set(number, now);
    return now.block;
  }
  behind.lie = async ({ method, params }, honest) => {
    if (method !== 'eth_getBlockByNumber') return honest();
    const answer = await honest();
    if (!('result' in answer) || answer.result === null) return answer;
    const { number } = answer.result as { number: string };
    return {
      result: await sealedBlock(Number(number), async wanted => {
        const body = { jsonrpc: '2.0', id: 1, method, params: [`0x${wanted.toString(16)}`, params[1]] };
        const response = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        return ((await response.json()) as { result: Block }).result;
      }),
    };
  };
  const response = await fetch(behind.url, {
    method: 'POST',
    body: JSON.stringify({ id: 1, method: 'eth_getBlockByNumber', params: ['0x0', false] }),
  });
  await response.arrayBuffer();
  const genesisHash = sealed.get(0)?.hash;
  if (genesisHash === undefined) throw new Error('the genesis block was asked for');
  const addresses = validators.map(({ address }) => address);
  const chain = { chainId, genesisHash, consensus, validators: [{ fromBlock: 0, addresses }] };
  return Object.assign(behind, { chain });
}
