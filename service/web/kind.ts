/**
 * What a file is, by its first bytes and by its members: so that a decision in PDF is not judged as if it were a receipt, which it would
 * then be told not to be. What is not surely something else is judged.
 */

export type FileKind = 'receipt' | 'document' | 'event' | 'trust' | 'fork' | 'unknown';

/** How the files that people have begin: in Latin-1. */
const beginnings: readonly RegExp[] = [
  /^%PDF-/,
  // Office documents and archives, old and new.
  /^PK\x03\x04/,
  /^\xd0\xcf\x11\xe0/,
  /^\x89PNG/,
  /^\xff\xd8\xff/,
  /^GIF8/,
  /^(II\*\0|MM\0\*)/,
  /^RIFF/,
  /^\{\\rtf/,
  // HTML, XML and SVG, perhaps after a byte order mark. No JSON begins so.
  /^(\xef\xbb\xbf)?\s*</,
];

export function kindOf(bytes: Uint8Array): FileKind {
  const beginning = String.fromCharCode(...bytes.subarray(0, 64));
  if (beginnings.some(pattern => pattern.test(beginning))) return 'document';
  const has = membersOf(bytes);
  // What has all that an event must have is one, although an extension of it may be called as a member of a receipt is.
  if (['specversion', 'id', 'source', 'type'].every(has)) return 'event';
  // A receipt that also has other members is a bad receipt, and for the verifier to refuse.
  if (has('entry') || has('inclusion') || has('checkpoint') || has('evidence')) return 'receipt';
  if (has('checkpoints')) return 'fork';
  if (has('specversion')) return 'event';
  if (has('chains') && has('logs')) return 'trust';
  return 'unknown';
}

/** JSON.parse is lenient, which is right here: this only sorts, and what is sorted is read strictly afterwards. */
function membersOf(bytes: Uint8Array): (name: string) => boolean {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return name => typeof value === 'object' && value !== null && Object.hasOwn(value, name);
  } catch {
    return () => false;
  }
}
