/** A page of documentation taken apart, so that what it tells people to type can be typed, and what it shows can be compared. */

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** A fenced block. */
export type Block = {
  readonly language: string;
  readonly text: string;
  /** The headings that it stands under, outermost first. */
  readonly under: readonly string[];
  /** The file as which it is to be saved, where the page says so. */
  readonly file?: string;
};

export async function readPage(name: string): Promise<string> {
  return readFile(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8');
}

/** All fenced blocks of a page, in order. */
export function blocksOf(page: string): readonly Block[] {
  const headings: string[] = [];
  const blocks: Block[] = [];
  // Between two fences there is prose, then a block, and so on.
  const parts = page.split(/^```/m);
  for (const [i, part] of parts.entries()) {
    const [first = '', ...rest] = part.split('\n');
    if (i % 2 === 0) {
      for (const line of [first, ...rest]) {
        const [, marks = '', heading = ''] = /^(#+) (.+)$/.exec(line) ?? [];
        if (marks !== '') headings.splice(marks.length - 1, headings.length, heading);
      }
      continue;
    }
    const file = /Save this as `(.+)`:\s*$/.exec(parts[i - 1] ?? '')?.[1];
    blocks.push({
      language: first,
      text: rest.join('\n'),
      under: [...headings],
      ...(file === undefined ? {} : { file }),
    });
  }
  return blocks;
}

/** The rows of the table whose first column has this name, each as its cells' texts. */
export function tableOf(page: string, firstColumn: string): readonly (readonly string[])[] {
  const lines = page.split('\n');
  const start = lines.findIndex(line => line.startsWith(`| ${firstColumn} |`));
  const rows = lines.slice(start + 2);
  const end = rows.findIndex(line => !line.startsWith('|'));
  return rows.slice(0, end === -1 ? undefined : end).map(row =>
    row
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  );
}

/** The lines that a page shows, `…` for anything, and that were not printed in this order. */
export function missingLines(shown: string, printed: string): readonly string[] {
  const lines = printed.split('\n');
  const missing: string[] = [];
  let at = 0;
  for (const line of shown.trimEnd().split('\n')) {
    const found = lines.findIndex((text, i) => i >= at && wildcard(line).test(text));
    if (found === -1) missing.push(line);
    else at = found + 1;
  }
  return missing;
}

/**
 * What differs between JSON as a page shows it and JSON as it came: the same members, texts alike but for `…`, the same numbers
 * but for those in `anyNumber`. Of a list the page shows one item, which stands for all.
 */
export function differences(
  shown: unknown,
  real: unknown,
  anyNumber: readonly string[],
  place = '',
): readonly string[] {
  if (Array.isArray(shown)) {
    if (!Array.isArray(real) || (shown.length === 0) !== (real.length === 0)) return [place];
    return real.flatMap((item, i) => differences(shown[0], item, anyNumber, `${place}[${i}]`));
  }
  if (isObject(shown)) {
    if (!isObject(real)) return [place];
    const names = new Set([...Object.keys(shown), ...Object.keys(real)]);
    return [...names].flatMap(name =>
      name in shown && name in real
        ? differences(shown[name], real[name], anyNumber, `${place}.${name}`)
        : [`${place}.${name} is on one side only`],
    );
  }
  if (typeof shown === 'string')
    return typeof real === 'string' && wildcard(shown).test(real)
      ? []
      : [`${place} is ${JSON.stringify(real)}`];
  const isAny = typeof real === 'number' && anyNumber.some(name => place.endsWith(`.${name}`));
  return shown === real || isAny ? [] : [`${place} is ${JSON.stringify(real)}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wildcard(text: string): RegExp {
  return new RegExp(`^${text.split('…').map(literally).join('.*')}$`, 's');
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
