/**
 * Checkpoints: C2SP tlog-checkpoint, the text by which a log commits to its first `size` entries.
 *
 *     ledger.example/2026                            the log's origin
 *     20852163                                       how many entries it covers, in decimal
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=   their root, in base64
 *
 * Three lines, each ended by a line feed. The format allows further lines and a size of 0; our logs have neither, and a reader
 * that accepted them would accept what nothing checks. The text travels as a signed note (`note.ts`).
 */

import { abbreviate, formatBase64, parseBase64, parseSafeInteger } from './bytes.ts';
import { FormatError } from './errors.ts';
import { parseNote } from './note.ts';

/** The tree of the first `size` entries (1 or more) of the log with that origin has that root (32 bytes). */
export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Uint8Array };

/** The checkpoint as it is signed. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${formatBase64(root)}\n`;
}

/** Reads a checkpoint's text. @throws {FormatError} unless it is spelt as we would spell it */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n');
  const [origin = '', size = '', root = ''] = lines;
  if (lines.length !== 4 || lines[3] !== '')
    throw FormatError.at(
      '',
      `the checkpoint has ${lines.length - 1} lines, want 3, each ended by a line feed`,
    );
  if (origin === '') throw FormatError.at('line 1', 'the origin is empty');
  return { origin, size: parseSize(size), root: parseRoot(root) };
}

function parseSize(text: string): number {
  const size = parseSafeInteger(text);
  if (size === undefined || size < 1)
    throw FormatError.at(
      'line 2',
      `"${abbreviate(text)}" is not a size, want 1 to 2^53 - 1 in decimal digits`,
    );
  return size;
}

function parseRoot(text: string): Uint8Array {
  const root = parseBase64(text, 'line 3');
  if (root.length !== 32) throw FormatError.at('line 3', `a root of ${root.length} bytes, want 32`);
  return root;
}

/**
 * The checkpoint in a signed note, which is taken apart and not believed: that is for `verifyNote`.
 *
 * @throws {FormatError} if it is not a signed note, or its text not a checkpoint
 */
export function readCheckpoint(signedNote: string): Checkpoint {
  return parseCheckpoint(parseNote(signedNote).text);
}

/** A signed note's first line, whatever else stands there: which log it claims to speak for. */
export function originLine(signedNote: string): string {
  return signedNote.split('\n', 1).join();
}
