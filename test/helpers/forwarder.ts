/** A contract that passes calls on, as a wallet of several people does once they agree. */

import { concat, type Signer, type TransactionRequest } from 'ethers';

/**
 * Runtime code: what follows the first 20 bytes of the input is sent to the address that these are; a failure is passed back.
 *
 *     calldatasize - 20, copied to memory 0    6014 36 03 80 6014 6000 37
 *     call(gas, input[0..20], 0, 0, size, 0, 0)  6000 6000 82 6000 6000 6000 35 6060 1c 5a f1
 *     if it failed, revert                     6023 57 6000 6000 fd 5b 00
 */
export const forwarderCode = '0x6014360380601460003760006000826000600060003560601c5af160235760006000fd5b00';

/** Deploys one and gives its address. */
export async function deployForwarder(signer: Signer): Promise<string> {
  // Copies the 37 bytes that follow these 12 to memory and gives them out.
  const data = concat(['0x6025600c60003960256000f3', forwarderCode]);
  const receipt = await (await signer.sendTransaction({ data })).wait();
  if (!receipt?.contractAddress) throw new Error('the forwarder was not deployed');
  return receipt.contractAddress.toLowerCase();
}

/** A call through a forwarder. */
export function forwarded(forwarder: string, to: string, data: string): TransactionRequest {
  return { to: forwarder, data: concat([to, data]), gasLimit: 500_000 };
}
