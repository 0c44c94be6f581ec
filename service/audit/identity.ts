/** Which log a service speaks for: what it says of itself, its genesis document and its newest checkpoint, against the trust file. */

import { abbreviate, equalBytes, formatHex, formatHex0x } from '../../merkle/bytes.ts';
import { formatEntry } from '../../merkle/entry.ts';
import { FormatError, ProofError } from '../../merkle/errors.ts';
import { type Genesis, genesisEntry, logId, parseGenesis } from '../../merkle/genesis.ts';
import { formatVerifierKey, parseNote } from '../../merkle/note.ts';
import { verifyCheckpoint } from '../../merkle/steps.ts';
import type { Trust, TrustedLog } from '../../merkle/trust.ts';
import { CouldNotCheck, type Report } from './findings.ts';
import type { Sighting } from './forks.ts';
import type { About, Source } from './sources.ts';

/** Holds what a service says of itself against the trust file. Gives the 74 bytes that entry 0 must be; none if nobody can say. */
export function auditIdentity(about: About, log: TrustedLog, report: Report): Uint8Array {
  const { chainId } = log.chain;
  const id = logId(chainId, log.anchorRegistry.address, log.origin);
  const keys = log.verifierKeys.map(({ key }) => formatVerifierKey(key));
  const said: readonly (readonly [string, string, readonly string[]])[] = [
    ['origin', about.origin, [log.origin]],
    ['logId', formatHex0x(about.logId), [formatHex0x(id)]],
    ['chainId', about.chainId, [chainId]],
    ['verifierKey', about.verifierKey, keys],
  ];
  for (const [name, got, wanted] of said)
    if (!wanted.includes(got))
      report({
        code: 'LOG_FOREIGN',
        place: {},
        message: `the service says that ${name} is "${abbreviate(got)}", the trust file has ${wanted.join(' or ')}`,
        proof: { [name]: got },
      });

  const fault = (message: string) =>
    report({ code: 'GENESIS_DIFFERS', place: { index: 0 }, message, proof: { genesis: about.genesis } });
  let genesis: Genesis;
  try {
    genesis = parseGenesis(about.genesis);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    fault(`the genesis document: ${error.message}`);
    return new Uint8Array(0);
  }
  if (genesis.origin !== log.origin)
    fault(`the genesis document is of "${genesis.origin}", want "${log.origin}"`);
  if (genesis.chainId !== chainId)
    fault(`the genesis document is for chain ${genesis.chainId}, want ${chainId}`);
  if (!equalBytes(genesis.registry, log.anchorRegistry.address))
    fault(`the genesis document is for the registry ${formatHex0x(genesis.registry)}`);
  // The document says when entry 0 is of.
  return formatEntry(genesisEntry(about.genesis, Date.parse(genesis.created)));
}

/** A checkpoint that somebody was shown. @throws {FormatError, ProofError} if it is none that this log has signed */
export function readSeen(note: string, trust: Trust, log: TrustedLog): Sighting {
  const signed = verifyCheckpoint(note, trust);
  if (signed.log !== log)
    throw new ProofError(`the checkpoint is of "${signed.log.origin}", want "${log.origin}"`);
  return { note, size: signed.checkpoint.size, root: signed.checkpoint.root };
}

/**
 * The newest checkpoint; undefined, with a finding, if the log has not signed it.
 * @throws {CouldNotCheck} if it is no signed note at all
 */
export function readNewest(
  note: string,
  parts: {
    readonly source: Source;
    readonly trust: Trust;
    readonly log: TrustedLog;
    readonly report: Report;
  },
): Sighting | undefined {
  const { source, trust, log, report } = parts;
  try {
    parseNote(note);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new CouldNotCheck({ what: '/log/checkpoint', where: source.where, why: error.message }, error);
  }
  try {
    return readSeen(note, trust, log);
  } catch (error) {
    if (!(error instanceof FormatError || error instanceof ProofError)) throw error;
    report({
      code: 'CHECKPOINT_INVALID',
      place: {},
      message: `the newest checkpoint: ${error.message}`,
      proof: { checkpoint: note, keys: log.verifierKeys.map(({ key }) => formatHex(key.keyId)).join(' ') },
    });
    return undefined;
  }
}
