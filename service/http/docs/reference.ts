/** The reference: `/docs`, made from the document of the interface and from nothing else. */

import { html, type Markup } from '../../audit/markup.ts';
import { line, listing, paragraphs } from '../html/prose.ts';
import type { DescribedAnswer, DescribedOperation, OpenApi } from '../openapi/document.ts';
import type { JsonSchema } from '../openapi/schemas.ts';
import { kindOf, membersOf, spellingOf } from './schema-view.ts';

type Located = { readonly path: string; readonly method: string; readonly operation: DescribedOperation };

/** The main part of the page. */
export function referenceOf(document: OpenApi): Markup {
  const located = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): Located => ({ path, method, operation })),
  );
  const groups = document.tags.map(({ name, description }) => ({
    name,
    description,
    own: located.filter(({ operation }) => operation.tags.includes(name)),
  }));
  return html`<h1>The interface of this ledger</h1>
${paragraphs(String(document.info['description']))}
<p>For programs: <a href="/v1/openapi.json">the same as OpenAPI ${document.openapi}</a>, version ${String(document.info['version'])}. For people: <a href="/docs/problems">all problems, and what to do about each</a>.</p>
<nav aria-label="Contents">
<h2>Contents</h2>
${groups.map(
  ({ name, own }) => html`<h3>${name}</h3>
<ul class="links">${own.map(
    ({ path, method, operation }) =>
      html`<li><a href="${`#${operation.operationId}`}"><code>${method.toUpperCase()} ${path}</code> ${operation.summary}</a></li>
`,
  )}</ul>
`,
)}</nav>
${groups.map(
  ({ name, description, own }) => html`<section>
<h2>${name}</h2>
<p>${description}</p>
${own.map(each => operationOf(each, document))}</section>
`,
)}<section>
<h2>Schemas</h2>
${Object.entries(document.components['schemas'] ?? {}).map(([name, schema]) => schemaSection(name, schema as JsonSchema))}</section>
`;
}

function operationOf({ path, method, operation }: Located, document: OpenApi): Markup {
  const { operationId, summary, description, security, parameters, requestBody, responses } = operation;
  return html`<article class="operation" id="${operationId}">
<h3><code>${method.toUpperCase()} ${path}</code><br>${summary}</h3>
${description === undefined ? null : paragraphs(description)}${tokenOf(security)}${parametersOf(parameters, document)}${requestBody === undefined ? null : bodyOf(requestBody)}<h4>Answers</h4>
${Object.entries(responses)
  .filter(([, answer]) => !isProblem(answer))
  .map(([status, answer]) => answerOf(status, answer))}${problemsOf(operation)}</article>
`;
}

function tokenOf(security: DescribedOperation['security']): Markup | null {
  if (security === undefined) return null;
  const isNeeded = security.length === 1;
  return html`<p>${line(isNeeded ? 'Needs a token: `Authorization: Bearer` and one token.' : 'Takes a token, but needs none.')}</p>
`;
}

function parametersOf(parameters: readonly JsonSchema[], document: OpenApi): Markup | null {
  const known = parameters.map(parameter =>
    typeof parameter['$ref'] === 'string' ? componentAt(document, parameter['$ref']) : parameter,
  );
  // Those that every operation takes are told of at the top.
  const own = known.filter(({ name }) => !String(name).startsWith('x-'));
  if (own.length === 0) return null;
  return html`<h4>Parameters</h4>
<ul class="members">
${own.map(
  ({ name, in: place, required, schema, description }) =>
    html`<li><code>${String(name)}</code> <span class="quiet">${places[String(place)] ?? String(place)}, ${kindOf(schema as JsonSchema)}${required ? null : ', may be left out'}</span><br>${line(String(description))}</li>
`,
)}</ul>
`;
}

const places: Readonly<Record<string, string>> = {
  path: 'in the path',
  query: 'in the query',
  header: 'header field',
};

function componentAt(document: OpenApi, ref: string): JsonSchema {
  const [kind = '', name = ''] = ref.split('/').slice(-2);
  return (document.components[kind]?.[name] ?? {}) as JsonSchema;
}

function bodyOf({ description, content }: JsonSchema): Markup {
  return html`<h4>Body</h4>
<p>${line(String(description))}</p>
${contentOf(content as DescribedAnswer['content'])}`;
}

function answerOf(status: string, { description, headers, content }: DescribedAnswer): Markup {
  const fields = Object.keys(headers).filter(name => /^(Location|ETag|Preference-Applied|Vary)$/.test(name));
  return html`<p><strong>${status}</strong> ${line(description)}${
    fields.length === 0
      ? null
      : html` <span class="quiet">With ${fields.map((name, i) => html`${i === 0 ? '' : ', '}<code>${name}</code>`)}.</span>`
  }</p>
${contentOf(content)}`;
}

function contentOf(content: DescribedAnswer['content']): Markup | null {
  if (content === undefined) return null;
  return html`${Object.entries(content).map(
    ([mediaType, { schema, 'x-itemSchema': lines, 'x-events': events, examples }]) => {
      const what =
        lines !== undefined
          ? html`, each line ${kindOf(lines as JsonSchema)}`
          : events !== undefined
            ? html`, with the events ${Object.entries(events as Readonly<Record<string, JsonSchema>>).map(([name, each], i) => html`${i === 0 ? '' : ', '}<code>${name}</code> (${kindOf(each)})`)}`
            : html`, ${kindOf(schema as JsonSchema)}`;
      return html`<p class="quiet"><code>${mediaType}</code>${what}</p>
${Object.values((examples ?? {}) as Readonly<Record<string, { summary: string; value: unknown }>>).map(
  ({ summary, value }) => html`<details><summary>Example: ${summary}</summary>
${listing(value)}</details>
`,
)}`;
    },
  )}`;
}

function isProblem({ content }: DescribedAnswer): boolean {
  return content?.['application/problem+json'] !== undefined;
}

/** The problems of an operation, each with a link to its page. */
function problemsOf({ responses, 'x-line-problems': inLines = [] }: DescribedOperation): Markup {
  const byStatus = Object.entries(responses).filter(([, answer]) => isProblem(answer));
  return html`<details><summary>Problems</summary>
<ul class="members">
${byStatus.map(
  ([status, answer]) =>
    html`<li><strong>${status}</strong> ${links(Object.keys(examplesIn(answer)))}</li>
`,
)}${
  inLines.length === 0
    ? null
    : html`<li><strong>In a line</strong> ${links(inLines)}</li>
`
}</ul>
</details>
`;
}

function examplesIn({ content }: DescribedAnswer): object {
  return (content?.['application/problem+json']?.['examples'] ?? {}) as object;
}

function links(names: readonly string[]): Markup {
  return html`${names.map((name, i) => html`${i === 0 ? '' : ', '}<a href="${`/docs/problems/${name}`}">${name}</a>`)}`;
}

function schemaSection(name: string, schema: JsonSchema): Markup {
  const { description } = schema;
  return html`<article id="${`schema-${name}`}">
<h3>${name}</h3>
${typeof description === 'string' ? paragraphs(description) : null}${membersOf(schema) ?? spellingOf(schema)}</article>
`;
}
