/** Transactions of every kind, encoded from a node's JSON as ethers encodes them, and the receipts of a real block. */

import { authorizationify, Transaction, type TransactionLike, Wallet } from 'ethers';
import { describe, expect, it } from 'vitest';
import { formatHex0x, parseHex0x } from '../../../merkle/bytes.ts';
import { readTransaction, receiptShape } from '../../../service/audit/transactions.ts';

const wallet = new Wallet(`0x${'17'.repeat(32)}`);
const base = {
  chainId: 2026n,
  nonce: 300,
  gasLimit: 90_000n,
  to: `0x${'aB'.repeat(20)}`.toLowerCase(),
  value: 0n,
  data: '0x00ff',
};
const fees = { maxFeePerGas: 2_000n, maxPriorityFeePerGas: 0n };
const accessList = [{ address: `0x${'01'.repeat(20)}`, storageKeys: [`0x${'00'.repeat(31)}02`] }];

const kinds: readonly [string, TransactionLike][] = [
  ['legacy with a chain id', { ...base, type: 0, gasPrice: 7n }],
  ['legacy without one', { ...base, chainId: 0n, type: 0, gasPrice: 0n }],
  ['with an access list', { ...base, type: 1, gasPrice: 7n, accessList }],
  ['with a base fee', { ...base, ...fees, type: 2, accessList }],
  ['that creates a contract', { ...base, ...fees, type: 2, to: null, nonce: 0 }],
  [
    'with blobs',
    {
      ...base,
      ...fees,
      type: 3,
      accessList,
      maxFeePerBlobGas: 9n,
      blobVersionedHashes: [`0x01${'22'.repeat(31)}`],
    },
  ],
  [
    'that sets code',
    {
      ...base,
      ...fees,
      type: 4,
      authorizationList: [
        authorizationify({
          chainId: 2026n,
          nonce: 5n,
          address: `0x${'03'.repeat(20)}`,
          signature: wallet.signingKey.sign(`0x${'44'.repeat(32)}`),
        }),
      ],
    },
  ],
];

const hex = (value: bigint | number | null | undefined) => `0x${BigInt(value ?? 0).toString(16)}`;

/** A transaction as nodes show it. */
function shown(tx: Transaction): Record<string, unknown> {
  const { signature } = tx;
  if (signature === null) throw new Error('want a signed transaction');
  const eip155 = tx.chainId === 0n ? 27 + signature.yParity : 35 + 2 * Number(tx.chainId) + signature.yParity;
  return {
    hash: tx.hash,
    from: tx.from?.toLowerCase(),
    to: tx.to?.toLowerCase() ?? null,
    type: hex(tx.type),
    ...(tx.chainId === 0n ? {} : { chainId: hex(tx.chainId) }),
    nonce: hex(tx.nonce),
    gas: hex(tx.gasLimit),
    gasPrice: hex(tx.gasPrice ?? tx.maxFeePerGas),
    ...(tx.maxFeePerGas === null
      ? {}
      : { maxFeePerGas: hex(tx.maxFeePerGas), maxPriorityFeePerGas: hex(tx.maxPriorityFeePerGas) }),
    ...(tx.maxFeePerBlobGas === null ? {} : { maxFeePerBlobGas: hex(tx.maxFeePerBlobGas) }),
    ...(tx.blobVersionedHashes === null ? {} : { blobVersionedHashes: tx.blobVersionedHashes }),
    ...(tx.accessList === null ? {} : { accessList: tx.accessList }),
    ...(tx.authorizationList === null
      ? {}
      : {
          authorizationList: tx.authorizationList.map(each => ({
            chainId: hex(each.chainId),
            address: each.address.toLowerCase(),
            nonce: hex(each.nonce),
            yParity: hex(each.signature.yParity),
            r: hex(BigInt(each.signature.r)),
            s: hex(BigInt(each.signature.s)),
          })),
        }),
    value: hex(tx.value),
    input: tx.data,
    v: hex(tx.type === 0 ? eip155 : signature.yParity),
    ...(tx.type === 0 ? {} : { yParity: hex(signature.yParity) }),
    r: hex(BigInt(signature.r)),
    s: hex(BigInt(signature.s)),
  };
}

describe('readTransaction', () => {
  it.each(kinds)('encodes a transaction %s as it was signed', async (_, like) => {
    const tx = Transaction.from(await wallet.signTransaction(like));
    const read = readTransaction(shown(tx));
    if (read === undefined) throw new Error('want a transaction');
    // Blobs travel beside a transaction, not in a block.
    expect(formatHex0x(read.raw)).toBe(tx.serialized);
    expect(formatHex0x(read.hash)).toBe(tx.hash);
    expect(read).toMatchObject({
      nonce: tx.nonce,
      to: tx.to === null ? undefined : parseHex0x(tx.to.toLowerCase(), 20),
      from: parseHex0x(wallet.address.toLowerCase(), 20),
    });
  });

  it('keeps a signature with leading zeros, which RLP leaves out', async () => {
    for (let nonce = 0; nonce < 2_000; nonce++) {
      const tx = Transaction.from(await wallet.signTransaction({ ...base, ...fees, type: 2, nonce }));
      if (!tx.signature?.r.startsWith('0x00') && !tx.signature?.s.startsWith('0x00')) continue;
      expect(formatHex0x(readTransaction(shown(tx))?.raw ?? new Uint8Array())).toBe(tx.serialized);
      return;
    }
    throw new Error('want one such signature in 2,000');
  });

  it.each<[string, (json: Record<string, unknown>) => unknown]>([
    ['of an unknown kind', json => ({ ...json, type: '0x7e' })],
    ['without a signature', ({ r, ...json }) => json],
    ['of a kind that has a chain, without it', ({ chainId, ...json }) => json],
    ['with a number that is not spelt as one', json => ({ ...json, nonce: '0x01' })],
    ['that is only a hash', json => json['hash']],
  ])('gives none for one %s', async (_, change) => {
    const tx = Transaction.from(await wallet.signTransaction({ ...base, ...fees, type: 2 }));
    expect(readTransaction(shown(tx))).toBeDefined();
    expect(readTransaction(change(shown(tx)))).toBeUndefined();
  });
});

describe('receiptShape', () => {
  it('takes no receipt of the time before a receipt had a status', () => {
    const receipt = {
      status: '0x1',
      cumulativeGasUsed: '0x5208',
      logsBloom: `0x${'00'.repeat(256)}`,
      logs: [],
    };
    expect(receiptShape.safeParse(receipt).success).toBe(true);
    expect(
      receiptShape.safeParse({ ...receipt, status: undefined, root: `0x${'00'.repeat(32)}` }).success,
    ).toBe(false);
    expect(receiptShape.safeParse({ ...receipt, status: '0x2' }).success).toBe(false);
  });
});
