/** Schemas for people: what a value is in a few words, and the members of an object as a list. */

import { html, type Markup } from '../../audit/markup.ts';
import { line } from '../html/prose.ts';
import type { JsonSchema } from '../openapi/schemas.ts';

/** What a value is, in a few words: `text`, `list of Hash`. */
export function kindOf(schema: JsonSchema): Markup {
  const name = nameIn(schema);
  if (name !== undefined) return html`<a href="${`#schema-${name}`}">${name}</a>`;
  const { type, items, anyOf, oneOf, allOf } = schema;
  const choice = schemas(anyOf ?? oneOf);
  if (choice.length > 0)
    return html`${choice.map((each, i) => (i === 0 ? kindOf(each) : html` or ${kindOf(each)}`))}`;
  const [first] = schemas(allOf);
  if (first !== undefined) return kindOf(first);
  if ('const' in schema) return html`<code>${JSON.stringify(schema['const'])}</code>`;
  if (Array.isArray(schema['enum']))
    return html`${schema['enum'].map((word, i) => html`${i === 0 ? '' : ', '}<code>${String(word)}</code>`)}`;
  if (type === 'array') return html`list of ${kindOf(isSchema(items) ? items : {})}`;
  return html`${kinds[String(type)] ?? 'anything'}`;
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'yes or no',
  object: 'object',
  null: 'null',
};

/** The members of an object, each with what it is and what it says; nothing for what has none. */
export function membersOf(schema: JsonSchema): Markup | null {
  const choice = schemas(schema['anyOf']).filter(each => nameIn(each) === undefined && 'properties' in each);
  if (choice.length > 0)
    return html`${choice.map((each, i) => html`${i === 0 ? null : html`<p>or</p>`}${membersOf(each)}`)}`;
  const { properties } = schema;
  if (!isSchema(properties)) return null;
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const rows = Object.entries(properties).map(([name, member]) => {
    const own = isSchema(member) ? member : {};
    const inner = own['type'] === 'array' && isSchema(own['items']) ? own['items'] : own;
    const nested = nameIn(inner) === undefined ? membersOf(inner) : null;
    return html`<li><code>${name}</code> <span class="quiet">${kindOf(own)}${required.includes(name) ? null : ', may be left out'}</span>${said(own)}${nested}</li>
`;
  });
  return html`<ul class="members">
${rows}</ul>
`;
}

/** What a schema says of itself, beside its kind. */
function said({ description }: JsonSchema): Markup | null {
  return typeof description === 'string' ? html`<br>${line(description)}` : null;
}

/** How a text is spelt, where that can be said by a pattern. */
export function spellingOf({ pattern }: JsonSchema): Markup | null {
  return typeof pattern === 'string' ? html`<p class="quiet">Spelt as <code>${pattern}</code></p>` : null;
}

function nameIn({ $ref }: JsonSchema): string | undefined {
  return typeof $ref === 'string' ? $ref.split('/').at(-1) : undefined;
}

function schemas(value: unknown): readonly JsonSchema[] {
  return Array.isArray(value) ? value.filter(isSchema) : [];
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
