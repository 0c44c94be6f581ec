/** An event for people: every member on a line, and the text exactly as it was signed, with nothing in it that could act. */

import { type Json, JsonNumber, parseJson } from '../../merkle/json.ts';

/** A member, by its path in the event, and its value as text. */
export type Line = { readonly path: readonly string[]; readonly value: string };

export type SignedEvent = {
  /** As signed: the bytes are its UTF-8. */
  readonly text: string;
  /** In the order of the event, `maxLines` at most. */
  readonly lines: readonly Line[];
  /** How many lines are left out. */
  readonly more: number;
};

/** More than anybody reads; who wants all of a larger event reads it as it was signed. */
export const maxLines = 200;

/** Reads an event that has been verified: strict JSON in UTF-8, with an object outside. */
export function readEvent(bytes: Uint8Array): SignedEvent {
  const lines = [...linesOf(parseJson(bytes), [])];
  return {
    text: new TextDecoder().decode(bytes),
    lines: lines.slice(0, maxLines),
    more: Math.max(0, lines.length - maxLines),
  };
}

/** Every value that is no object or array, with its path; of those only the empty ones. */
export function* linesOf(value: Json, path: readonly string[]): Generator<Line> {
  if (value instanceof Map && value.size > 0) {
    for (const [name, member] of value) yield* linesOf(member, [...path, name]);
  } else if (Array.isArray(value) && value.length > 0) {
    for (const [i, item] of value.entries()) yield* linesOf(item, [...path, String(i + 1)]);
  } else yield { path, value: wordsOf(value) };
}

function wordsOf(value: Json): string {
  if (typeof value === 'string') return value;
  if (value instanceof JsonNumber) return value.text;
  if (value instanceof Map) return '{}';
  if (Array.isArray(value)) return '[]';
  return String(value);
}

/**
 * A stranger's text made harmless to look at and to copy: what a terminal would obey, what is not to be seen, and what turns the
 * direction of writing, is spelt out. (That nothing in it becomes markup is the care of whoever puts it on the page: as text.)
 */
export function visible(text: string, keep: RegExp = /[\n\t]/): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu, character =>
      keep.test(character) ? character : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
    );
}

/** The same on one line. */
export function visibleLine(text: string): string {
  return visible(text, /^\b$/);
}
