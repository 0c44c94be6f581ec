/**
 * Moves the contracts of one replaying network to a fresh one, slot by slot: a network keeps every block that it has made, some 35 kB
 * for each transaction, and a log may have a million anchors.
 *
 * The slots are those that the old network's transactions have touched. They are written by a program that stands in the contract's
 * place for a moment, which is a hundred times faster than setting each. That nothing was forgotten, the storage roots tell.
 */

import { concatBytes, equalBytes, formatHex0x, parseHex0x } from '../../merkle/bytes.ts';
import { wordOf } from '../../merkle/evidence.ts';
import { formatQuantity } from '../rpc.ts';
import type { Network } from './network.ts';

/** Slots by contract, each in lower-case hexadecimal. */
export type Touched = Map<string, Set<string>>;

/** Takes in what transactions have touched. */
export async function addTouched(
  touched: Touched,
  network: Network,
  transactions: readonly string[],
): Promise<void> {
  for (const transaction of transactions) {
    for (const [address, slots] of await network.touched(transaction)) {
      const known = touched.get(address) ?? new Set();
      for (const slot of slots) known.add(slot);
      touched.set(address, known);
    }
  }
}

/** Makes every contract that was touched the same in a network as in another one. @throws {Error} if one does not come out the same */
export async function carry(touched: Touched, from: Network, to: Network): Promise<void> {
  await to.ask('hardhat_impersonateAccount', writer);
  for (const [address, slots] of touched) {
    const code = await from.code(address);
    // Accounts without code are set up when they send; what a fresh network has by itself, it keeps by itself.
    if (code.length === 0 || (await to.code(address)).length > 0) continue;
    await to.ask('hardhat_setCode', address, writerCode);
    await writeSlots(address, slots, from, to);
    await to.ask('hardhat_setCode', address, formatHex0x(code));
    await to.ask('hardhat_setNonce', address, await from.ask('eth_getTransactionCount', address, 'latest'));
    await to.ask('hardhat_setBalance', address, await from.ask('eth_getBalance', address, 'latest'));
    // What was set is in a header's state from the next block on.
    await to.ask('evm_mine');
    await verifySame(address, from, to);
  }
}

async function writeSlots(
  address: string,
  slots: ReadonlySet<string>,
  from: Network,
  to: Network,
): Promise<void> {
  let input: Uint8Array[] = [];
  for (const slot of slots) {
    const word = await from.slot(address, slot);
    if (equalBytes(word, zero)) continue;
    input.push(parseHex0x(slot, 32), word);
    if (input.length < 2 * slotsAtOnce) continue;
    await write(input);
    input = [];
  }
  if (input.length > 0) await write(input);

  async function write(words: readonly Uint8Array[]): Promise<void> {
    await to.ask('hardhat_setNextBlockBaseFeePerGas', '0x0');
    const call = { from: writer, to: address, data: formatHex0x(concatBytes(...words)) };
    await to.ask('eth_sendTransaction', { ...call, gas: formatQuantity(gasAtOnce), gasPrice: '0x0' });
  }
}

async function verifySame(address: string, from: Network, to: Network): Promise<void> {
  const [there, here] = [await from.account(address), await to.account(address)];
  if (there === undefined || here === undefined) throw new Error(`${address} was not carried over`);
  if (equalBytes(there.storageRoot, here.storageRoot) && equalBytes(there.codeHash, here.codeHash)) return;
  const [was, is] = [there, here].map(({ storageRoot }) => formatHex0x(storageRoot));
  throw new Error(`${address} had storage ${was} and has ${is} after it was carried over`);
}

const zero = wordOf(0);
/** An address of nobody, for transactions that are none of the real chain's. */
const writer = `0x${'57'.repeat(20)}`;
const slotsAtOnce = 1_000;
/** A new slot costs 22,100, and its 64 bytes of input at most 2,560. */
const gasAtOnce = 30_000_000;

/**
 * Writes its input: slots, each with its word.
 *
 *     i = 0                                  6000
 *     while i < calldatasize                 5b 80 36 11 15 6018 57    (jump out when not calldatasize > i)
 *       sstore(input[i], input[i + 32])      80 6020 01 35 81 35 55
 *       i = i + 64                           6040 01 6002 56
 *     stop                                   5b 00
 */
const writerCode = '0x60005b8036111560185780602001358135556040016002565b00';
