/** What a visitor gives in text: a code, a link, or a receipt itself; in the field, on the clipboard, or behind the page's address. */

import { parseBase64url, utf8 } from '../../merkle/bytes.ts';
import { FormatError } from '../../merkle/errors.ts';

export type Given =
  | { readonly kind: 'leaf'; readonly leaf: string }
  | { readonly kind: 'receipt'; readonly receipt: Uint8Array; readonly from: 'text' | 'link' }
  | { readonly kind: 'fault'; readonly reason: 'link-damaged' | 'not-recognised' };

/** Reads the part of an address from `#` on. Undefined where it asks for nothing. */
export function readFragment(fragment: string): Given | undefined {
  const [, name, value = ''] = /^#?(leaf|receipt)=(.*)$/s.exec(fragment) ?? [];
  if (name === undefined) return undefined;
  if (name === 'leaf') {
    const leaf = leafIn(value);
    return leaf === undefined ? { kind: 'fault', reason: 'link-damaged' } : { kind: 'leaf', leaf };
  }
  try {
    return { kind: 'receipt', receipt: parseBase64url(value), from: 'link' };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { kind: 'fault', reason: 'link-damaged' };
  }
}

/** Reads what was typed or pasted. Codes are read from paper, so spaces and capitals are forgiven. */
export function readGiven(text: string): Given {
  const leaf = leafIn(text);
  if (leaf !== undefined) return { kind: 'leaf', leaf };
  // A link that a mail program has broken into lines is whole again without them.
  const [, fragment] = /(#?\b(?:leaf|receipt)=[\sA-Za-z0-9_-]+)$/.exec(text.trim()) ?? [];
  const given = fragment === undefined ? undefined : readFragment(fragment.replace(/\s/g, ''));
  if (given !== undefined) return given;
  if (/^\s*[{[]/.test(text)) return { kind: 'receipt', receipt: utf8(text), from: 'text' };
  return { kind: 'fault', reason: 'not-recognised' };
}

function leafIn(text: string): string | undefined {
  const digits = text.replace(/[\s:.-]/g, '').toLowerCase();
  return /^[0-9a-f]{64}$/.test(digits) ? digits : undefined;
}
