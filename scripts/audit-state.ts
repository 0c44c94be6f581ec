/** The file in which an audit's state is kept, for the next run. */

import { readFile } from 'node:fs/promises';
import { parseUtf8 } from '../merkle/bytes.ts';
import { FormatError, ProofError } from '../merkle/errors.ts';
import type { Trust, TrustedLog } from '../merkle/trust.ts';
import { readSeen } from '../service/audit/identity.ts';
import { type AuditState, foreign, formatState, parseState, type StateOf } from '../service/audit/state.ts';
import { CommandError } from './command.ts';
import { replaceFile } from './durable.ts';

/** The state to go on from, if there is one. @throws {CommandError} exit code 2 where it is another one's, or none at all */
export async function stateFor(
  { state: file, fromScratch }: { readonly state?: string | undefined; readonly fromScratch: boolean },
  stateOf: StateOf,
  of: { readonly trust: Trust; readonly log: TrustedLog },
  note: (line: string) => void,
): Promise<AuditState | undefined> {
  if (file === undefined || fromScratch) return undefined;
  let state: AuditState | undefined;
  try {
    state = await readState(file);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    const what = `${file} is not the state of an audit: ${cause.message}`;
    throw new CommandError(2, `${what}; name another file, or begin anew with --from-scratch`, cause);
  }
  if (state === undefined) return undefined;
  const why = foreign(state, stateOf);
  if (why !== undefined)
    throw new CommandError(2, `${file}: ${why}; name another file, or begin anew with --from-scratch`);
  try {
    // Otherwise it would look as if the log had signed them.
    for (const text of [state.log.checkpoint, state.underWay?.checkpoint])
      if (text) readSeen(text, of.trust, of.log);
    for (const { code, proof } of state.kept)
      if (code === 'CHECKPOINT_ROOT_DIFFERS' && proof['checkpoint'])
        readSeen(proof['checkpoint'], of.trust, of.log);
  } catch (cause) {
    if (!(cause instanceof FormatError || cause instanceof ProofError)) throw cause;
    const what = `${file} has a checkpoint that the log has not signed: ${cause.message}`;
    throw new CommandError(2, `${what}; begin anew with --from-scratch`, cause);
  }
  const what =
    state.underWay === null ? 'the audit that ended there, of' : 'the audit that was interrupted, of';
  note(`${file}: going on at entry ${state.log.size} from ${what} ${state.written}`);
  return state;
}

/** Writes states to a file: after a crash there is the old one or the new one. */
export function saveTo(file: string): (state: AuditState) => Promise<void> {
  return state => replaceFile(file, to => to.writeFile(formatState(state)));
}

/** The state in a file; undefined where there is none yet. @throws {FormatError} */
export async function readState(path: string): Promise<AuditState | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  return parseState(parseUtf8(bytes));
}
