/** HTML and SVG as text, in which everything that is put in is escaped unless it is markup of ours. */

/** Text that is markup. */
export type Markup = { readonly markup: string };

export type Piece = Markup | string | number | null | readonly Piece[];

/** Markup with pieces put in: strings and numbers escaped, null as nothing, lists one after another. */
export function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  const texts = parts.map((part, i) => (i === 0 ? part : textOf(pieces[i - 1] ?? null) + part));
  return { markup: texts.join('') };
}

function textOf(piece: Piece): string {
  if (piece === null) return '';
  if (typeof piece === 'number') return String(piece);
  if (typeof piece === 'string') return escaped(piece);
  return 'markup' in piece ? piece.markup : piece.map(textOf).join('');
}

/** Names on a chain and what a service says are strangers' texts: they may neither end an element nor turn the text around. */
export function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, character => (character === '\n' ? character : '\ufffd'))
    .replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
}
