/** How far an audit is, part by part: how fast, and how long the part will take. */

import type { Phase } from '../service/audit/audit.ts';
import { ProgressLine, type Shown } from './progress.ts';

const counted = {
  chain: 'blocks of the chain',
  log: 'entries of the log',
  records: 'lines of the export',
} as const satisfies Record<Phase, string>;

export type Progress = {
  readonly tell: (phase: Phase, done: number, of: number | undefined) => void;
  /** Leaves the terminal's line to whoever writes next. */
  readonly end: () => void;
};

/** @param now milliseconds */
export function progressOn(to: Shown | undefined, now?: () => number): Progress {
  let phase: Phase | undefined;
  let line: ProgressLine | undefined;
  return {
    end: () => line?.clear(),
    tell(next, done, of) {
      if (next !== phase) {
        line?.clear();
        line = new ProgressLine(to, counted[next], now);
        phase = next;
      }
      line?.update({ done, fraction: of === undefined ? undefined : done / of });
    },
  };
}
