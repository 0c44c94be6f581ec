/** What a node proves of a contract's account and slots, under a header that was hashed. */

import { z } from 'zod';
import { formatHex0x } from '../../merkle/bytes.ts';
import { FormatError, ProofError } from '../../merkle/errors.ts';
import { data, formatQuantity } from '../rpc.ts';
import type { ChainHeader } from './blocks.ts';
import type { FollowedContract } from './contracts.ts';
import type { ChainNode } from './node.ts';
import { Refutation } from './refutation.ts';

const proofShape = z.object({
  accountProof: z.array(data),
  storageProof: z.array(z.object({ proof: z.array(data) })),
});

/** Asks for the proof of a contract's account and of some of its slots under the final block. */
export async function askProof(
  { node, final }: { readonly node: ChainNode; readonly final: ChainHeader },
  { name, address }: FollowedContract,
  slots: readonly Uint8Array[],
): Promise<z.infer<typeof proofShape>> {
  const params = [formatHex0x(address), slots.map(formatHex0x), formatQuantity(final.number)];
  return node.ask(`the storage of ${name}`, { method: 'eth_getProof', params, shape: proofShape });
}

/** Walks a proof that the node gave. @throws {Refutation} when it does not lead to the final block's state */
export function walking<T>({ name }: FollowedContract, final: ChainHeader, nodes: string, walk: () => T): T {
  try {
    return walk();
  } catch (error) {
    if (!(error instanceof ProofError || error instanceof FormatError)) throw error;
    throw new Refutation({
      code: 'STATE_NOT_PROVED',
      place: { block: final.number, contract: name },
      message: `the node's proof of ${name} does not lead to the state of block ${final.number}: ${error.message}`,
      proof: { header: formatHex0x(final.rlp), nodes },
    });
  }
}

/** Trie nodes as a finding's proof has them. */
export function formatNodes(nodes: readonly Uint8Array[]): string {
  return nodes.map(formatHex0x).join(' ');
}
