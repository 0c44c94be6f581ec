/**
 * Where the audited chain ends: the newest block that the chain's own rule does not take back (DESIGN 4, "states of a record").
 * QBFT: a block with enough seals; Clique: one with enough descendants by other signers; `none`: one with so many blocks on top.
 */

import { equalBytes, formatHex0x } from '../../merkle/bytes.ts';
import { FormatError, ProofError } from '../../merkle/errors.ts';
import { headersNeeded, verifyHeaders } from '../../merkle/seals.ts';
import type { TrustedChain } from '../../merkle/trust.ts';
import { quantity } from '../rpc.ts';
import { blockQuestion, type ChainHeader, readHeader } from './blocks.ts';
import type { Report } from './findings.ts';
import { type ChainNode, unanswered } from './node.ts';
import { Refutation } from './refutation.ts';

/** A final block; `unproved` where nobody seals. */
export type FinalBlock = { readonly block: ChainHeader; readonly finality: 'proved' | 'unproved' };

/** How far below the newest block we look for one with enough seals: nodes may stop collecting a seal too early. */
const searchDepth = 16;
/** A newest block that is older than this is worth a word. Seconds. */
const oldAfterS = 600;

/**
 * Asks a node whose chain it is on, and for the newest final block.
 *
 * @param options.confirmations blocks on top that make a block final where consensus is `none`
 * @param options.knownBlock a block that somebody has seen on this chain: a node that does not have it has fallen behind
 * @throws {CouldNotCheck} when there is no final block yet, or the node has fallen behind
 * @throws {Refutation} when it is another chain, or no recent block is sealed
 */
export async function findFinal(options: {
  readonly node: ChainNode;
  readonly chain: TrustedChain;
  readonly confirmations: number;
  readonly knownBlock: number;
  readonly report: Report;
  readonly now: () => number;
}): Promise<FinalBlock> {
  const { node, chain, confirmations, knownBlock } = options;
  await verifyChain(node, chain);
  const latest = readHeader(
    await node.ask('the newest block', blockQuestion('latest', false)),
    chain.consensus,
  );
  if (latest.number < knownBlock) {
    const behind = `its newest block is ${latest.number}, and block ${knownBlock} was seen before`;
    throw unanswered('the newest block', `the node has fallen behind: ${behind}`);
  }
  reportAge(latest, options.report, options.now);
  if (chain.consensus !== 'none') return { block: await findSealed(node, chain, latest), finality: 'proved' };

  const number = latest.number - confirmations;
  if (number < 0) throw unanswered('the newest final block', `the chain has ${latest.number} blocks only`);
  const [block] = number === latest.number ? [latest] : await readHeaders(node, chain, [number]);
  if (block === undefined) throw new Error('one number gives one header');
  return { block, finality: 'unproved' };
}

async function verifyChain(node: ChainNode, chain: TrustedChain): Promise<void> {
  const chainId = await node.ask("the chain's id", { method: 'eth_chainId', params: [], shape: quantity });
  const [genesis] = await readHeaders(node, chain, [0]);
  if (genesis === undefined) throw new Error('one number gives one header');
  const hash = formatHex0x(genesis.hash);
  if (String(chainId) === chain.chainId && equalBytes(genesis.hash, chain.genesisHash)) return;
  throw new Refutation({
    code: 'CHAIN_OTHER',
    place: { block: 0 },
    message: `the node is on chain ${chainId} with the genesis block ${hash}, the trust file has chain ${chain.chainId} with ${formatHex0x(chain.genesisHash)}`,
    proof: { header: formatHex0x(genesis.rlp) },
  });
}

/** The newest block whose seals, with those of its descendants under Clique, are enough. */
async function findSealed(node: ChainNode, chain: TrustedChain, latest: ChainHeader): Promise<ChainHeader> {
  let why = '';
  let tried = 0;
  for (let number = latest.number; number >= 0 && latest.number - number < searchDepth; number--) {
    const fault = await sealedEndingAt(number);
    if (typeof fault !== 'string') return fault;
    // Said of the newest block.
    if (tried++ === 0) why = fault;
  }
  throw new Refutation({
    code: 'SEALS_TOO_FEW',
    place: { block: latest.number },
    message: `none of the last ${tried} blocks is sealed as the trust file wants: ${why}`,
    proof: { header: formatHex0x(latest.rlp) },
  });

  /** The first of the headers that it takes, the last of which has this number; or why they are not enough. */
  async function sealedEndingAt(last: number): Promise<ChainHeader | string> {
    try {
      const first = last - (headersNeeded(chain, last) - 1);
      if (first < 0) return 'the chain is too short';
      const numbers = Array.from({ length: last - first + 1 }, (_, i) => first + i);
      const headers = await readHeaders(node, chain, numbers);
      verifyHeaders(
        chain,
        headers.map(({ rlp }) => rlp),
      );
      return headers[0] ?? 'there is no header';
    } catch (error) {
      if (error instanceof ProofError || error instanceof FormatError) return error.message;
      throw error;
    }
  }
}

async function readHeaders(
  node: ChainNode,
  { consensus }: TrustedChain,
  numbers: readonly number[],
): Promise<ChainHeader[]> {
  const answers = await node.askAll(
    'the newest blocks',
    numbers.map(number => blockQuestion(number, false)),
  );
  return answers.map((answer, i) => readHeader(answer, consensus, numbers[i]));
}

/** A chain that nobody uses may stand for long; so may a node that lost its peers. */
function reportAge(latest: ChainHeader, report: Report, now: () => number): void {
  const ageS = Math.floor(now() / 1000) - latest.time;
  if (ageS <= oldAfterS) return;
  report({
    code: 'CHAIN_STANDS_STILL',
    place: { block: latest.number },
    message: `the newest block, ${latest.number}, is ${ageS} s old`,
    proof: { header: formatHex0x(latest.rlp) },
  });
}
