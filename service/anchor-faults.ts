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
