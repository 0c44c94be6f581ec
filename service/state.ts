/** Contract storage and accounts as a block's state root proves them, whatever the node says they are (EIP-1186). */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { z } from 'zod';
import { equalBytes, formatHex0x } from '../merkle/bytes.ts';
import { gatherWalks, verifyAccount, verifySlot } from '../merkle/evidence.ts';
import { decodeString, splitList } from '../merkle/rlp.ts';
import { NodeBag, NodeCollector, walk } from '../merkle/trie.ts';
import { type ChainBlock, trusting } from './chain.ts';
import { ChainWrong, data, formatQuantity, type Question, type Rpc } from './rpc.ts';

/** A contract that is pinned: 20 bytes where it is, 32 bytes of Keccak-256 over its code. */
export type PinnedContract = { readonly address: Uint8Array; readonly codeHash: Uint8Array };

/** What a slot holds, with the nodes that prove it: the walks to the account and to the slot, in evidence's order. */
export type ProvedSlot = {
  /** 32 bytes; undefined where the slot is proved to be empty or zero. */
  readonly word: Uint8Array | undefined;
  readonly nodes: readonly Uint8Array[];
};

export type ProvedAccount = {
  readonly nonce: number;
  /** Wei. */
  readonly balance: bigint;
};

/** Nodes bound the slots in one question (geth: 1,024). */
const slotsMax = 256;

const answerShape = z.object({
  accountProof: z.array(data),
  storageProof: z.array(z.object({ proof: z.array(data) })),
});

/** The root of a contract's storage: while it stays the same, nothing in there has changed. */
export async function proveStorageRoot(
  rpc: Rpc,
  block: ChainBlock,
  contract: PinnedContract,
): Promise<Uint8Array> {
  const { accountProof } = await rpc.ask(proofQuestion(block, contract.address, []));
  return trusting(rpc, 'proof', () => storageRootOf(block, contract, accountProof));
}

/** Slots of a contract, in the order of the question. @throws {ChainWrong} also for other code at the address */
export async function proveSlots(
  rpc: Rpc,
  block: ChainBlock,
  contract: PinnedContract,
  slots: readonly Uint8Array[],
): Promise<ProvedSlot[]> {
  const proved: ProvedSlot[] = [];
  for (let at = 0; at < slots.length; at += slotsMax) {
    const asked = slots.slice(at, at + slotsMax);
    const answer = await rpc.ask(proofQuestion(block, contract.address, asked));
    const nodes = [...answer.accountProof, ...answer.storageProof.flatMap(({ proof }) => proof)];
    trusting(rpc, 'proof', () => {
      storageRootOf(block, contract, answer.accountProof);
      proved.push(...asked.map(slot => readSlot(block, contract, slot, nodes)));
    });
  }
  return proved;
}

/** An account that holds money and sends transactions. One that was never used has nonce and balance 0. */
export async function proveAccount(rpc: Rpc, block: ChainBlock, address: Uint8Array): Promise<ProvedAccount> {
  const { accountProof } = await rpc.ask(proofQuestion(block, address, []));
  return trusting(rpc, 'proof', () => {
    const account = readAccount(block, address, accountProof);
    return { nonce: Number(account?.nonce ?? 0n), balance: account?.balance ?? 0n };
  });
}

function proofQuestion(
  block: ChainBlock,
  address: Uint8Array,
  slots: readonly Uint8Array[],
): Question<z.infer<typeof answerShape>> {
  // By number, which every node takes. If another block has that number by now, the walk from this one's root fails.
  const params = [formatHex0x(address), slots.map(formatHex0x), formatQuantity(block.number)];
  return { method: 'eth_getProof', params, shape: answerShape };
}

/** Runs the very functions that a receipt's verifier runs, over the very nodes that a receipt will carry. */
function readSlot(
  block: ChainBlock,
  contract: PinnedContract,
  slot: Uint8Array,
  answered: readonly Uint8Array[],
): ProvedSlot {
  const nodes = gatherWalks(block.stateRoot, [{ address: contract.address, slot }], answered);
  const bag = new NodeBag(nodes);
  const storageRoot = verifyAccount(bag, block.stateRoot, contract.address, contract.codeHash);
  const leaf = walk(bag, storageRoot, keccak_256(slot));
  // Anvil keeps slots that were set to zero as leaves that say so.
  const isEmpty = leaf === undefined || decodeString(leaf).length === 0;
  const word = isEmpty ? undefined : verifySlot(bag, storageRoot, slot);
  bag.finish();
  return { word, nodes };
}

/** Tells other code from a proof that fails: the one is for an operator to look into, the other for the next node. */
function storageRootOf(
  block: ChainBlock,
  { address, codeHash }: PinnedContract,
  answered: readonly Uint8Array[],
): Uint8Array {
  const account = readAccount(block, address, answered);
  if (account === undefined) throw new ChainWrong('code', `there is no contract at ${formatHex0x(address)}`);
  if (!equalBytes(account.codeHash, codeHash)) {
    const [met, wanted] = [formatHex0x(account.codeHash), formatHex0x(codeHash)];
    throw new ChainWrong('code', `${formatHex0x(address)} has code ${met}, want ${wanted}`);
  }
  return account.storageRoot;
}

/** Walks to an account: [nonce, balance, storageRoot, codeHash] (yellow paper, section 4.1). */
function readAccount(block: ChainBlock, address: Uint8Array, answered: readonly Uint8Array[]) {
  const leaf = walk(new NodeCollector(answered), block.stateRoot, keccak_256(address));
  if (leaf === undefined) return undefined;
  const [nonce, balance, storageRoot, codeHash] = splitList(leaf).map(decodeString);
  if (nonce === undefined || balance === undefined || storageRoot === undefined || codeHash === undefined) {
    throw new ChainWrong('proof', `account ${formatHex0x(address)} is not in its form`);
  }
  return { nonce: unsigned(nonce), balance: unsigned(balance), storageRoot, codeHash };
}

function unsigned(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}
