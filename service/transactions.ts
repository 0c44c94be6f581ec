/**
 * Transactions of one account: priced, signed, sent, and looked for. ethers encodes them and nothing more: its NonceManager counts
 * a failed send and never takes that back, and its provider holds calls back to make batches.
 */

import { computeAddress, getAddress, Signature, SigningKey, Transaction } from 'ethers';
import { z } from 'zod';
import { equalBytes, formatHex0x, parseHex0x } from '../merkle/bytes.ts';
import { revertName } from './abi.ts';
import type { Attempt } from './anchors.ts';
import type { ChainBlock } from './chain.ts';
import { ChainRefused, dataOf, formatQuantity, integer, quantity, type Rpc } from './rpc.ts';
import { type ProvedAccount, proveAccount } from './state.ts';

/** Whoever holds an account's key: a file first, an HSM or KMS later. */
export type TransactionSigner = {
  /** 20 bytes. */
  readonly address: Uint8Array;
  /** Signs 32 bytes with secp256k1, s in the lower half: r ‖ s ‖ parity of y (0 or 1), 65 bytes. */
  sign(digest: Uint8Array): Promise<Uint8Array>;
};

/** A signer over a key in memory, `0x` and 64 hexadecimal digits. */
export function accountSigner(privateKey: string): TransactionSigner {
  const key = new SigningKey(privateKey);
  return {
    address: addressOf(key.publicKey),
    async sign(digest) {
      const { r, s, yParity } = key.sign(digest);
      return parseHex0x(`${r}${s.slice(2)}0${yParity}`, 65);
    },
  };
}

/** Why a transaction cannot be made or is not taken. */
export type SendFault = 'BALANCE_TOO_LOW' | 'GAS_TOO_LOW' | 'FEE_TOO_LOW' | 'ANCHOR_REFUSED' | 'SEND_REFUSED';

/** A transaction that is not on its way. Nothing on the chain has changed. */
export class SendError extends Error {
  override readonly name = 'SendError';
  readonly code: SendFault;

  constructor(code: SendFault, message: string) {
    super(message);
    this.code = code;
  }
}

/** A call to a contract. `data` is hexadecimal. */
export type Call = { readonly to: Uint8Array; readonly data: string };

export class Sender {
  readonly #rpc: Rpc;
  readonly #chainId: bigint;
  readonly #signer: TransactionSigner;

  constructor(parts: { readonly rpc: Rpc; readonly chainId: string; readonly signer: TransactionSigner }) {
    this.#rpc = parts.rpc;
    this.#chainId = BigInt(parts.chainId);
    this.#signer = parts.signer;
  }

  get address(): Uint8Array {
    return this.#signer.address;
  }

  /** The account in the state after a block, proved. */
  account(block: ChainBlock): Promise<ProvedAccount> {
    return proveAccount(this.#rpc, block, this.address);
  }

  /**
   * Prices and signs a call as the account's next transaction after a block. Nothing is sent.
   * @throws {SendError} when the call would revert, or the account cannot pay for it
   */
  async sign(call: Call, latest: ChainBlock): Promise<{ readonly nonce: number; readonly attempt: Attempt }> {
    const { nonce, balance } = await this.account(latest);
    const gasLimit = await this.#gasFor(call, latest);
    const price = balance === 0n && latest.baseFee === 0n ? freeOfCharge : await this.#price(latest);
    const transaction = Transaction.from({
      ...price,
      chainId: this.#chainId,
      nonce,
      gasLimit,
      to: formatHex0x(call.to),
      data: call.data,
    });
    requireFunds(transaction, balance);

    const signature = await this.#signer.sign(parseHex0x(transaction.unsignedHash, 32));
    transaction.signature = Signature.from({
      r: formatHex0x(signature.subarray(0, 32)),
      s: formatHex0x(signature.subarray(32, 64)),
      yParity: signature[64] === 0 ? 0 : 1,
    });
    const from = parseHex0x(transaction.from?.toLowerCase() ?? '', 20);
    if (!equalBytes(from, this.address)) throw new Error('the signer does not sign for its own address');
    const raw = Uint8Array.from(Buffer.from(transaction.serialized.slice(2), 'hex'));
    return { nonce, attempt: { raw, hash: parseHex0x(transaction.hash ?? '', 32) } };
  }

  /**
   * Sends signed bytes, or sends them again. Returns also when the node has them already, or has mined another transaction of the
   * same nonce: that says *look*, not *failed*.
   * @throws {SendError} when the node does not take them, {ChainUnreachable} when nobody knows
   */
  async send({ raw, hash }: Attempt, latest: ChainBlock): Promise<void> {
    const { balance } = await this.account(latest);
    requireFunds(Transaction.from(formatHex0x(raw)), balance);
    try {
      const params = [formatHex0x(raw)];
      const sent = await this.#rpc.ask({ method: 'eth_sendRawTransaction', params, shape: dataOf(32) });
      if (!equalBytes(sent, hash)) {
        throw new SendError('SEND_REFUSED', `the node took ${formatHex0x(hash)} for ${formatHex0x(sent)}`);
      }
    } catch (error) {
      if (!(error instanceof ChainRefused)) throw error;
      judgeRefusal(error);
    }
  }

  /** Whether this account signed them. */
  isFromUs(attempts: readonly Attempt[]): boolean {
    const ours = getAddress(formatHex0x(this.address));
    return attempts.every(({ raw }) => Transaction.from(formatHex0x(raw)).from === ours);
  }

  /** Whether a node has one of these transactions, in its pool or in a block. */
  async knows(attempts: readonly Attempt[]): Promise<boolean> {
    const questions = attempts.map(({ hash }) => ({
      method: 'eth_getTransactionByHash',
      params: [formatHex0x(hash)],
      shape: foundShape,
    }));
    const found = await this.#rpc.askAll(questions);
    return found.some(transaction => transaction !== null);
  }

  /** Whether, on the node's word, a transaction was mined and changed nothing. Good enough to tell people why. */
  async wasReverted(attempts: readonly Attempt[]): Promise<boolean> {
    for (const { hash } of attempts) {
      const params = [formatHex0x(hash)];
      const receipt = await this.#rpc.ask({
        method: 'eth_getTransactionReceipt',
        params,
        shape: receiptShape,
      });
      if (receipt !== null) return receipt.status === 0;
    }
    return false;
  }

  async #gasFor({ to, data }: Call, latest: ChainBlock): Promise<bigint> {
    const params = [
      { from: formatHex0x(this.address), to: formatHex0x(to), data },
      formatQuantity(latest.number),
    ];
    const estimate = await this.#rpc
      .ask({ method: 'eth_estimateGas', params, shape: quantity })
      .catch((error: unknown) => {
        if (error instanceof ChainRefused) throw revertOf(error);
        throw error;
      });
    // A slot that others write in between can cost more than it did in the estimate.
    const gasLimit = (estimate * 5n) / 4n;
    if (gasLimit > latest.gasLimit) {
      throw new SendError('GAS_TOO_LOW', `the call needs ${gasLimit} gas, a block holds ${latest.gasLimit}`);
    }
    return gasLimit;
  }

  /** EIP-1559 where blocks have a base fee: room for it to double, and what the node suggests on top. Else the node's price. */
  async #price({ baseFee }: ChainBlock) {
    if (baseFee === undefined) {
      return {
        type: 0,
        gasPrice: await this.#rpc.ask({ method: 'eth_gasPrice', params: [], shape: quantity }),
      };
    }
    const tip = await this.#tip(baseFee);
    return { type: 2, maxPriorityFeePerGas: tip, maxFeePerGas: 2n * baseFee + tip };
  }

  async #tip(baseFee: bigint): Promise<bigint> {
    try {
      return await this.#rpc.ask({ method: 'eth_maxPriorityFeePerGas', params: [], shape: quantity });
    } catch (error) {
      // Not every node has that method.
      if (!(error instanceof ChainRefused)) throw error;
      const price = await this.#rpc.ask({ method: 'eth_gasPrice', params: [], shape: quantity });
      return price > baseFee ? price - baseFee : 0n;
    }
  }
}

/** On a network that charges nothing, whatever its nodes suggest. */
const freeOfCharge = { type: 2, maxPriorityFeePerGas: 0n, maxFeePerGas: 0n };

const foundShape = z.record(z.string(), z.unknown()).nullable();
const receiptShape = z.object({ status: integer }).nullable();

function requireFunds({ gasLimit, gasPrice, maxFeePerGas }: Transaction, balance: bigint): void {
  const cost = gasLimit * (maxFeePerGas ?? gasPrice ?? 0n);
  if (balance < cost) {
    throw new SendError(
      'BALANCE_TOO_LOW',
      `the anchor key has ${balance} wei, a transaction may cost ${cost}`,
    );
  }
}

/** Nodes agree on what they refuse, not on the words. */
function judgeRefusal(refused: ChainRefused): void {
  const { message } = refused.answer;
  if (
    /already known|already imported|known transaction|already exists|nonce[ _]too[ _]low|nonce.*(too low|below)/i.test(
      message,
    )
  ) {
    return;
  }
  if (/insufficient|upfront cost|enough funds/i.test(message))
    throw new SendError('BALANCE_TOO_LOW', refused.message);
  if (/underpriced|fee|gas ?price/i.test(message)) throw new SendError('FEE_TOO_LOW', refused.message);
  throw new SendError('SEND_REFUSED', refused.message);
}

function revertOf(refused: ChainRefused): SendError {
  const { data } = refused.answer;
  // Hardhat wraps the bytes in an object.
  const bytes = z
    .union([z.string(), z.object({ data: z.string() }).transform(object => object.data)])
    .safeParse(data);
  const name = bytes.success ? revertName(bytes.data) : undefined;
  return new SendError('ANCHOR_REFUSED', `the registry would refuse the anchor: ${name ?? refused.message}`);
}

/** An account's address: the end of Keccak-256 over its public key. */
function addressOf(publicKey: string): Uint8Array {
  return parseHex0x(computeAddress(publicKey).toLowerCase(), 20);
}
