/**
 * A folder of documents as events: for each file one that says its SHA-256 and its length, and not its name unless that is asked for.
 *
 * The same document always gives the same bytes, so that a second run is a retry: the event's time is not the clock's and not the
 * file's (which a copy changes), and its id is the hash of all the rest, so that nothing else can be in conflict with it.
 */

import { isUtf8 } from 'node:buffer';
import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { utf8 } from '../merkle/bytes.ts';
import { FormatError } from '../merkle/errors.ts';
import { parseEvent } from '../merkle/event.ts';
import { type Item, malformed } from '../service/client/groups.ts';
import { CommandError } from './command.ts';

export type DocumentOptions = {
  /** The events' `source`. */
  readonly source: string;
  /** The events' `time`: by default the beginning of 1970, which says nothing. */
  readonly time: string;
  /** Whether an event names its document, by its path in the folder. */
  readonly names: boolean;
  /** Told of what is no regular file, and so is left out. */
  readonly onLeftOut: (path: string) => void;
};

/** A document as its event says it. */
export type DocumentFacts = {
  readonly digest: Uint8Array;
  readonly lengthBytes: number;
  readonly name?: string;
};

/** The event of a document: its bytes are the same whenever it is made. */
export function documentEvent(
  { digest, lengthBytes, name }: DocumentFacts,
  { source, time }: Pick<DocumentOptions, 'source' | 'time'>,
): Uint8Array {
  const rest = {
    source,
    type: 'zegel.document',
    time,
    recordkind: 'audit',
    datacontenttype: 'application/json',
    data: {
      sha256: Buffer.from(digest).toString('hex'),
      bytes: lengthBytes,
      ...(name === undefined ? {} : { name }),
    },
  };
  const id = createHash('sha256').update(JSON.stringify(rest)).digest('hex');
  return utf8(JSON.stringify({ specversion: '1.0', id: `sha256:${id}`, ...rest }));
}

/** A document's path in its folder, with forward slashes. */
export type DocumentItem = Item & { readonly label: string };

/**
 * The events of a folder's files, and of the folders in it, in the order of their names' bytes. Links are not followed, and what is
 * neither file nor folder is not opened.
 *
 * @throws {CommandError} exit code 2 if the folder cannot be read
 */
export async function* documentsIn(folder: string, options: DocumentOptions): AsyncGenerator<DocumentItem> {
  let line = 0;
  for await (const { path, isText } of filesIn(folder, '', options.onLeftOut)) {
    line++;
    if (!isText) {
      const problem = malformed(FormatError.at('', `${path} has a name that is no UTF-8: rename it`));
      yield { line, label: path, kind: 'refused', problem };
      continue;
    }
    const facts = await factsOf(join(folder, path));
    if (facts === 'left out') options.onLeftOut(path);
    else if (typeof facts === 'string') {
      const problem = malformed(FormatError.at('', `${path} cannot be read (${facts})`));
      yield { line, label: path, kind: 'refused', problem };
    } else yield itemOf(line, path, facts, options);
  }
}

/** How many files a folder has, for the time that is left. */
export async function countDocuments(folder: string): Promise<number> {
  let count = 0;
  for await (const _ of filesIn(folder, '', () => undefined)) count++;
  return count;
}

function itemOf(line: number, path: string, facts: DocumentFacts, options: DocumentOptions): DocumentItem {
  const event = documentEvent(options.names ? { ...facts, name: path } : facts, options);
  try {
    parseEvent(event, { maxBytes: 65_536 });
    return { line, label: path, kind: 'event', event };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { line, label: path, kind: 'refused', problem: malformed(error) };
  }
}

/** A path in the folder. Where a name in it is no text there may be another file that this path would name. */
type Found = { readonly path: string; readonly isText: boolean };

/**
 * All names of one folder are held while it is gone through, since the order is theirs: some 300 bytes each, 30 MB where there are
 * 100,000 (by the growth of `process.memoryUsage().rss` over `readdir`, in Node 24). Of a folder in it they are held besides, and let go
 * after it.
 */
async function* filesIn(
  folder: string,
  within: string,
  onLeftOut: (path: string) => void,
): AsyncGenerator<Found> {
  const entries = await readdir(join(folder, within), {
    withFileTypes: true,
    encoding: 'buffer',
  }).catch(cause => {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new CommandError(2, `${join(folder, within)} cannot be read (${code})`, cause);
  });
  // The system gives them in any order, and receipts stand in the order of the documents.
  for (const entry of entries.sort((a, b) => Buffer.compare(a.name, b.name))) {
    const isText = isUtf8(entry.name);
    const path = within === '' ? String(entry.name) : `${within}/${entry.name}`;
    if (entry.isDirectory() && isText) yield* filesIn(folder, path, onLeftOut);
    else if (entry.isFile() || entry.isDirectory()) yield { path, isText };
    else onLeftOut(path);
  }
}

/** A file's digest and length; or the code of why it cannot be read; or that it is no file after all. */
async function factsOf(path: string): Promise<DocumentFacts | string> {
  let file: FileHandle;
  try {
    // What was a file a moment ago may be a link or a pipe by now: the first is refused, the second not waited for.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return code === 'ELOOP' ? 'left out' : code;
  }
  try {
    if (!(await file.stat()).isFile()) return 'left out';
    return await hashed(file, createHash('sha256'));
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  } finally {
    await file.close();
  }
}

async function hashed(file: FileHandle, hash: Hash): Promise<DocumentFacts> {
  const buffer = new Uint8Array(1 << 18);
  let lengthBytes = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length);
    if (bytesRead === 0) return { digest: new Uint8Array(hash.digest()), lengthBytes };
    hash.update(buffer.subarray(0, bytesRead));
    lengthBytes += bytesRead;
  }
}
