/** The replaying network lets nobody speak who is on the chain. */

import { AbiCoder, id } from 'ethers';
import { expect, it, vi } from 'vitest';
import { Network } from '../../../service/audit/network.ts';

/** Hands its input on to the address at which Hardhat listens for what contracts print. */
const consoleCode = '0x3660006000376000600036600073000000000000000000636f6e736f6c652e6c6f675afa00';

it('prints nothing that a contract says, and leaves what others print alone', async () => {
  const terminal = globalThis.console;
  const print = vi.spyOn(terminal, 'log').mockImplementation(() => undefined);
  const network = await Network.open({ chainId: '2026', headerItems: 21 });
  try {
    const [from, to] = [`0x${'11'.repeat(20)}`, `0x${'22'.repeat(20)}`];
    await network.ask('hardhat_setBalance', from, '0xffffffffffffffff');
    await network.ask('hardhat_impersonateAccount', from);
    await network.ask('hardhat_setCode', to, consoleCode);
    await network.ask('hardhat_setNextBlockBaseFeePerGas', '0x0');
    const words = AbiCoder.defaultAbiCoder().encode(['string'], ['yes: nothing is wrong\u001b[2J']);
    const data = id('log(string)').slice(0, 10) + words.slice(2);
    await network.ask('eth_sendTransaction', { from, to, data, gas: '0x100000', gasPrice: '0x0' });
    expect(print).not.toHaveBeenCalled();
    expect(terminal.log).toBe(print);
  } finally {
    await network.close();
    print.mockRestore();
  }
});
