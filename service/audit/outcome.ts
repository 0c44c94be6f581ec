/** What an audit came to, before it is told in a report. */

import type { TrustedLog } from '../../merkle/trust.ts';
import type { ChainView } from './chain-view.ts';
import type { CouldNotCheck, FindingsFound } from './findings.ts';
import type { LogView } from './log.ts';
import type { RecordsView } from './records.ts';

/** What was not to be had, once: the audit goes on with the parts that do not need it. */
export type Unchecked = Pick<CouldNotCheck, 'what' | 'where' | 'message'>;

export type Outcome = {
  readonly log: TrustedLog;
  /** Undefined where it could not be had. */
  readonly logView: LogView | undefined;
  /** Undefined where it could not be had, or where what was found leaves nothing to go by. */
  readonly chainView: ChainView | undefined;
  /** Undefined where no export was given, or it could not be judged. */
  readonly recordsView: RecordsView | undefined;
  /** Whether there was an export. */
  readonly hasExport: boolean;
  readonly unchecked: readonly Unchecked[];
  readonly found: FindingsFound;
  /** The audit that this one goes on from. */
  readonly earlier: { readonly size: number; readonly ended: string } | null;
};

/** Records of the log that no line of the export is for. */
export function missingFrom({ logView, recordsView }: Outcome): number {
  const { transaction = 0, audit = 0 } = logView?.kinds ?? {};
  const { lines = 0, repeated = 0, beyond = 0 } = recordsView ?? {};
  return Math.max(0, transaction + audit - (lines - repeated - beyond));
}
