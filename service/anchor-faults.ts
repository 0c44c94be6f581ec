/** Why no anchor is made, or none becomes final: one code for each thing that an operator would do. */

import { ChainUnreachable, ChainWrong } from './rpc.ts';
import { SendError, type SendFault } from './transactions.ts';

/** Submissions go on under all of them but LOG_CLOSED, LEDGER_BEHIND and LOG_FORKED, once a final block shows these. */
export type AnchorFaultCode =
  | SendFault
  | 'CHAIN_UNREACHABLE'
  | 'CHAIN_WRONG'
  | 'CODE_OTHER'
  | 'LOG_NOT_OPEN'
  | 'LOG_PAUSED'
  | 'LOG_CLOSED'
  | 'ANCHORER_OTHER'
  | 'ANCHOR_REVERTED'
  | 'KEY_USED_ELSEWHERE'
  | 'REGISTRY_BEHIND'
  | 'CLOCK_AHEAD'
  | 'LEDGER_BEHIND'
  | 'LOG_FORKED';

export class AnchorFault extends Error {
  override readonly name = 'AnchorFault';
  readonly code: AnchorFaultCode;

  constructor(code: AnchorFaultCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What an operator does about each. */
export const advice = {
  CHAIN_UNREACHABLE: 'see to the node, or set ZEGEL_RPC_URL to another; records are taken for a minute more',
  CHAIN_WRONG: 'the node says what its own proofs do not show: set ZEGEL_RPC_URL to another',
  CODE_OTHER: 'the deployment names another contract than the chain has: find out who has changed which',
  LOG_NOT_OPEN: 'open it with `zegel log open`',
  LOG_PAUSED: 'who holds the role LOG_PAUSER has stopped it and can let it go on',
  LOG_CLOSED: 'make a new log under another origin; what is anchored stays good',
  ANCHORER_OTHER:
    'set ZEGEL_ANCHOR_KEY_FILE to the key of that account, or have the role LOG_OPENER name this one',
  BALANCE_TOO_LOW: 'give the account of the anchor key money',
  GAS_TOO_LOW: 'have the chain allow larger blocks',
  FEE_TOO_LOW: 'wait until fees fall, or have the node take smaller ones',
  SEND_REFUSED: 'read the log of the node that refuses the transaction',
  ANCHOR_REFUSED: "the reason is the registry's own: contracts/IAnchorRegistry.sol says what it means",
  ANCHOR_REVERTED: 'it is tried again with a new transaction; if this repeats, see who else changes the log',
  KEY_USED_ELSEWHERE: 'somebody else has the anchor key: have the role LOG_OPENER name a new one at once',
  REGISTRY_BEHIND:
    'the chain has lost final blocks: ask its validators; anchoring waits until they are there again',
  CLOCK_AHEAD: 'see to the clock of this machine; the anchor waits for a later block',
  LEDGER_BEHIND:
    'start on the newest copy of the data folder; without one, close the log and open a successor',
  LOG_FORKED: 'stop, keep the data folder as evidence, and have the role LOG_CLOSER close the log',
} as const satisfies Readonly<Record<AnchorFaultCode, string>>;

/** Somebody else has our key, our chain or our disk. The other faults pass, or wait for a signature or for money. */
const alarms: ReadonlySet<AnchorFaultCode> = new Set([
  'CODE_OTHER',
  'KEY_USED_ELSEWHERE',
  'REGISTRY_BEHIND',
  'LEDGER_BEHIND',
  'LOG_FORKED',
]);

export function isAlarm(code: AnchorFaultCode): boolean {
  return alarms.has(code);
}

/** The code of an error that anchoring survives; undefined for a fault of our own, which it does not. */
export function faultCodeOf(error: unknown): AnchorFaultCode | undefined {
  if (error instanceof AnchorFault || error instanceof SendError) return error.code;
  if (error instanceof ChainWrong) return error.fault === 'code' ? 'CODE_OTHER' : 'CHAIN_WRONG';
  return error instanceof ChainUnreachable ? 'CHAIN_UNREACHABLE' : undefined;
}
