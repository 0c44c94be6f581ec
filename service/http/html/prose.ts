/** Prose of ours as markup: names in back-ticks, paragraphs, and JSON as people read it. */

import { html, type Markup } from '../../audit/markup.ts';

/** A line of prose, in which what stands in back-ticks is a name. */
export function line(text: string): Markup {
  const parts = text.split('`').map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
  return html`${parts}`;
}

/** Prose whose paragraphs an empty line parts. */
export function paragraphs(text: string): Markup {
  return html`${text.split('\n\n').map(
    part => html`<p>${line(part)}</p>
`,
  )}`;
}

/** A value as JSON on many lines; a text as it is. */
export function listing(value: unknown): Markup {
  return html`<pre><code>${typeof value === 'string' ? value.trimEnd() : JSON.stringify(value, null, 2)}</code></pre>
`;
}
