/**
 * Fork evidence (`application/vnd.zegel.fork+json`): two checkpoints that a log signed and that no append-only log can have.
 *
 *     { "version": 1,
 *       "checkpoints": ["<signed note>", "<signed note>"],
 *       "nodes": ["<32 bytes, base64url>"] }
 *
 * The notes stand with the smaller size first. Two roots for one size contradict each other as they are, and `nodes` is empty. For
 * different sizes, `nodes` says what stood in the larger tree in place of the smaller one: the hashes of RFC 9162's consistency proof
 * (section 2.1.4) from the first size to the second, always beginning with the root of the perfect subtree in which the first
 * tree ends. (A consistency proof leaves that one out where it is the whole first tree, because the verifier has it: here, it is what
 * differs.) The nodes lead to the second root, so by SHA-256 they are nodes of the tree that the log signed for; and what they
 * give for the first size is another root than the one that the log signed for it.
 *
 * So the file convinces whoever has the trust file, without a service and without a chain: a log that only appends cannot be
 * framed, since its own nodes give its own roots. It does not say which of the two is the true one.
 */

import { equalBytes, formatBase64url, formatHex, parseUtf8 } from './bytes.ts';
import type { Checkpoint } from './checkpoint.ts';
import { FormatError, ProofError } from './errors.ts';
import { JsonNumber, JsonReader, parseJson } from './json.ts';
import { type SignedCheckpoint, verifyCheckpoint } from './steps.ts';
import type { Trust } from './trust.ts';
import { rootsFromConsistency } from './verify.ts';

export type Fork = {
  /** Signed notes, the one of the smaller size first. */
  readonly checkpoints: readonly [string, string];
  readonly nodes: readonly Uint8Array[];
};

/** Says whether a file means to be fork evidence, good or not: no receipt has its members. */
export function isForkEvidence(bytes: Uint8Array): boolean {
  try {
    // A receipt is not read twice for this.
    if (!parseUtf8(bytes).includes('"checkpoints"')) return false;
    const document = parseJson(bytes);
    return document instanceof Map && document.has('checkpoints');
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/** Reads fork evidence. @throws {FormatError} naming every fault with its place */
export function parseFork(bytes: Uint8Array): Fork {
  const reader = new JsonReader();
  const members = reader.object(parseJson(bytes), '', ['version', 'checkpoints', 'nodes']);
  const version = members.get('version');
  if (version !== undefined && !(version instanceof JsonNumber && version.text === '1'))
    reader.fail('version', 'want 1');
  const notes = reader.array(members.get('checkpoints'), 'checkpoints');
  if (Array.isArray(members.get('checkpoints')) && notes.length !== 2)
    reader.fail('checkpoints', `${notes.length} checkpoints, want 2`);
  const [first, second] = notes.map((note, i) => reader.string(note, `checkpoints[${i}]`));
  return reader.finish({
    checkpoints: [first ?? '', second ?? ''],
    nodes: reader.hashes(members.get('nodes'), 'nodes'),
  });
}

/** Prints fork evidence. */
export function formatFork({ checkpoints, nodes }: Fork): string {
  return `${JSON.stringify({ version: 1, checkpoints, nodes: nodes.map(formatBase64url) })}\n`;
}

/** What fork evidence proves: the two, each with the key of the trust file that signed it. */
export type ProvedFork = { readonly first: SignedCheckpoint; readonly second: SignedCheckpoint };

/**
 * Verifies that a log signed two checkpoints that contradict each other.
 *
 * @throws {FormatError} if a note or a checkpoint cannot be read
 * @throws {ProofError} if it does not prove that: a note is not signed by a key of the log that is good for its size, they are of two
 *   logs, in the other order or the same, or the nodes do not show a contradiction
 */
export function verifyFork({ checkpoints, nodes }: Fork, trust: Trust): ProvedFork {
  const first = verifyCheckpoint(checkpoints[0], trust);
  const second = verifyCheckpoint(checkpoints[1], trust);
  const [a, b] = [first.checkpoint, second.checkpoint];
  if (a.origin !== b.origin) throw new ProofError(`the checkpoints are of "${a.origin}" and "${b.origin}"`);
  if (a.size > b.size)
    throw new ProofError(`the checkpoint of size ${a.size} stands before the one of size ${b.size}`);
  if (a.size === b.size) verifySameSize(a, b, nodes);
  else verifyNodes(a, b, nodes);
  return { first, second };
}

function verifySameSize(a: Checkpoint, b: Checkpoint, nodes: readonly Uint8Array[]): void {
  // Nothing in it is decoration.
  if (nodes.length > 0)
    throw new ProofError(`${nodes.length} nodes beside two checkpoints of one size, want none`);
  if (equalBytes(a.root, b.root)) throw new ProofError(`both checkpoints have one root for size ${a.size}`);
}

function verifyNodes(a: Checkpoint, b: Checkpoint, nodes: readonly Uint8Array[]): void {
  const { firstRoot, secondRoot } = rootsFromConsistency(a.size, b.size, nodes);
  if (!equalBytes(secondRoot, b.root))
    throw new ProofError(`the nodes do not lead to the root that was signed for size ${b.size}`);
  if (equalBytes(firstRoot, a.root))
    throw new ProofError(
      `the tree of ${b.size} begins with the root ${formatHex(a.root)} that was signed for size ${a.size}: no contradiction`,
    );
}
