/**
 * Transactions and receipts as a node shows them in JSON, put back into the bytes that a block's header commits to (yellow paper,
 * section 4.3; EIPs 155, 2718, 2930, 1559, 4844, 7702). Nothing in them is believed: the caller compares the roots.
 */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { z } from 'zod';
import { concatBytes } from '../../merkle/bytes.ts';
import { encodeRlp, type RlpItem } from '../../merkle/rlp.ts';
import { data, dataOf, integer, quantity } from '../rpc.ts';

/** A transaction in its block. */
export type ChainTransaction = {
  /** The bytes that were signed, with the signature: what the header commits to. */
  readonly raw: Uint8Array;
  /** Keccak-256 of `raw`. */
  readonly hash: Uint8Array;
  /** Whom it calls; undefined where it creates a contract. */
  readonly to: Uint8Array | undefined;
  readonly nonce: number;
  /** Whose it is, on the node's word: the signature in `raw` decides. */
  readonly from: Uint8Array;
  /** Its hash on the node's word. */
  readonly namedHash: Uint8Array;
};

/** An event that a contract emitted. */
export type ChainEvent = {
  readonly address: Uint8Array;
  readonly topics: readonly Uint8Array[];
  readonly data: Uint8Array;
};

export type ChainReceipt = {
  /** What the header commits to. */
  readonly raw: Uint8Array;
  readonly succeeded: boolean;
  /** Gas of this transaction and of those before it in the block. */
  readonly cumulativeGas: number;
  readonly events: readonly ChainEvent[];
};

const address = dataOf(20);
const word = dataOf(32);
const accessList = z.array(z.object({ address, storageKeys: z.array(word) }));
const signature = { yParity: quantity.optional(), v: quantity.optional(), r: quantity, s: quantity };
const authorization = z.object({
  chainId: quantity,
  address,
  nonce: quantity,
  yParity: quantity.optional(),
  v: quantity.optional(),
  r: quantity,
  s: quantity,
});

/** A transaction in the answer to `eth_getBlockByNumber`. */
const transactionShape = z.object({
  hash: word,
  from: address,
  to: address.nullish(),
  type: integer.optional(),
  chainId: quantity.nullish(),
  nonce: integer,
  gas: quantity,
  gasPrice: quantity.optional(),
  maxFeePerGas: quantity.optional(),
  maxPriorityFeePerGas: quantity.optional(),
  maxFeePerBlobGas: quantity.optional(),
  value: quantity,
  input: data,
  accessList: accessList.nullish(),
  blobVersionedHashes: z.array(word).nullish(),
  authorizationList: z.array(authorization).nullish(),
  ...signature,
});
type TransactionJson = z.infer<typeof transactionShape>;

/** A transaction of a kind that we cannot encode, or not in its form: undefined. */
export function readTransaction(json: unknown): ChainTransaction | undefined {
  const parsed = transactionShape.safeParse(json);
  if (!parsed.success) return undefined;
  const raw = encodeTransaction(parsed.data);
  if (raw === undefined) return undefined;
  const { to, nonce, from, hash } = parsed.data;
  return { raw, hash: keccak_256(raw), to: to ?? undefined, nonce, from, namedHash: hash };
}

function encodeTransaction(tx: TransactionJson): Uint8Array | undefined {
  const call = [tx.to ?? nothing, bytesOf(tx.value), tx.input];
  const nonce = bytesOf(tx.nonce);
  const gas = bytesOf(tx.gas);
  const rs = [bytesOf(tx.r), bytesOf(tx.s)];
  if ((tx.type ?? 0) === 0) {
    // A legacy transaction's v may hold the chain id (EIP-155), so it is taken as it is.
    if (tx.v === undefined) return undefined;
    return encodeRlp([nonce, bytesOf(tx.gasPrice ?? 0n), gas, ...call, bytesOf(tx.v), ...rs]);
  }

  const parity = tx.yParity ?? tx.v;
  if (parity === undefined || tx.chainId == null) return undefined;
  const chainId = bytesOf(tx.chainId);
  const fees = [bytesOf(tx.maxPriorityFeePerGas ?? 0n), bytesOf(tx.maxFeePerGas ?? 0n)];
  const access = (tx.accessList ?? []).map(item => [item.address, item.storageKeys]);
  const sealed = [bytesOf(parity), ...rs];
  const typed = (type: number, items: readonly RlpItem[]) =>
    concatBytes(Uint8Array.of(type), encodeRlp(items));
  if (tx.type === 1) {
    return typed(1, [chainId, nonce, bytesOf(tx.gasPrice ?? 0n), gas, ...call, access, ...sealed]);
  }
  if (tx.type === 2) return typed(2, [chainId, nonce, ...fees, gas, ...call, access, ...sealed]);
  if (tx.type === 3) {
    const blobs = [bytesOf(tx.maxFeePerBlobGas ?? 0n), tx.blobVersionedHashes ?? []];
    return typed(3, [chainId, nonce, ...fees, gas, ...call, access, ...blobs, ...sealed]);
  }
  if (tx.type === 4) {
    const authorizations = (tx.authorizationList ?? []).map(each => [
      bytesOf(each.chainId),
      each.address,
      bytesOf(each.nonce),
      bytesOf(each.yParity ?? each.v ?? 0n),
      bytesOf(each.r),
      bytesOf(each.s),
    ]);
    return typed(4, [chainId, nonce, ...fees, gas, ...call, access, authorizations, ...sealed]);
  }
  return undefined;
}

/** The answer to `eth_getTransactionReceipt`, since Byzantium. */
export const receiptShape = z
  .object({
    type: integer.optional(),
    status: integer.refine(status => status <= 1),
    cumulativeGasUsed: integer,
    logsBloom: dataOf(256),
    logs: z.array(z.object({ address, topics: z.array(word), data })),
  })
  .transform(({ type = 0, status, cumulativeGasUsed, logsBloom, logs }): ChainReceipt => {
    const list = encodeRlp([
      bytesOf(status),
      bytesOf(cumulativeGasUsed),
      logsBloom,
      logs.map(log => [log.address, log.topics, log.data]),
    ]);
    return {
      raw: type === 0 ? list : concatBytes(Uint8Array.of(type), list),
      succeeded: status === 1,
      cumulativeGas: cumulativeGasUsed,
      events: logs,
    };
  });

const nothing = new Uint8Array(0);

/** An integer as RLP has it: big-endian without leading zeros. */
function bytesOf(value: bigint | number): Uint8Array {
  const hex = value.toString(16);
  return value === 0n || value === 0
    ? nothing
    : Uint8Array.from(Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex'));
}
