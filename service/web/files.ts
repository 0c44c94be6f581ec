/** Files as they are dropped or chosen, sorted: which are receipts, and which may lie beside them. */

import { kindOf } from './kind.ts';
import { maxReceiptBytes } from './sent.ts';
import type { Reason } from './texts.ts';

/** A receipt by its file's name and, in a file with one on each line, its line; or why there is none. */
export type NamedReceipt = { readonly name: string; readonly receipt: Uint8Array | Reason };

export type SortedFiles = {
  readonly receipts: readonly NamedReceipt[];
  /** What is no receipt, and what it is instead. */
  readonly beside: readonly { readonly file: File; readonly reason: Reason }[];
};

/** Sorts files. One that may be anything is taken for a receipt when it comes alone, and lies beside the receipts that it comes with. */
export async function sortFiles(files: readonly File[]): Promise<SortedFiles> {
  const sorted = await Promise.all(files.map(async file => ({ file, ...(await sort(file)) })));
  const isMixed = sorted.some(({ kind }) => kind === 'receipt');
  const isReceipt = ({ kind }: SortedFile) => kind === 'receipt' || (kind === 'unknown' && !isMixed);
  return {
    receipts: sorted.flatMap(one => (isReceipt(one) ? one.receipts : [])),
    beside: sorted.flatMap(one => (isReceipt(one) ? [] : [{ file: one.file, reason: one.reason }])),
  };
}

/** A trust file's text, of which the UTF-8 is the file byte for byte, so that its fingerprint is the file's. Empty where it is no text. */
export async function textOfTrust(file: File): Promise<string> {
  try {
    if (file.size > maxReceiptBytes) return '';
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await file.arrayBuffer());
  } catch {
    return '';
  }
}

type SortedFile = {
  readonly kind: 'receipt' | 'unknown' | 'other';
  readonly receipts: readonly NamedReceipt[];
  readonly reason: Reason;
};

async function sort(file: File): Promise<SortedFile> {
  const { name } = file;
  const isMany = name.endsWith('.ndjson');
  const other = (reason: Reason): SortedFile => ({ kind: 'other', receipts: [], reason });
  try {
    const head = new Uint8Array(await file.slice(0, 64).arrayBuffer());
    // A document may be of any size: what is compared of it is its hash.
    if (kindOf(head) === 'document') return other('document');
    if (file.size > (isMany ? 32 : 1) * maxReceiptBytes) return other('too-large');
    const bytes = new Uint8Array(await file.arrayBuffer());
    if (isMany) return { kind: 'receipt', receipts: [...linesOf(name, bytes)], reason: 'no-receipts' };
    const kind = kindOf(bytes);
    if (kind !== 'receipt' && kind !== 'unknown') return other(kind);
    return { kind, receipts: [{ name, receipt: bytes }], reason: 'document' };
  } catch {
    return other('unreadable');
  }
}

/** The lines of a file, each a receipt. */
function* linesOf(name: string, bytes: Uint8Array): Generator<NamedReceipt> {
  for (let start = 0, number = 1; start < bytes.length; number++) {
    const found = bytes.indexOf(10, start);
    const end = found < 0 ? bytes.length : found;
    const line = bytes.slice(start, end);
    start = end + 1;
    // An empty line is no receipt, and so none that is false.
    if (line.every(byte => byte === 13 || byte === 32)) continue;
    yield { name: `${name}:${number}`, receipt: line.length > maxReceiptBytes ? 'too-large' : line };
  }
}
