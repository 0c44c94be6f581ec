/** A page for each type of problem, and one that lists them: what it means, what to do, and who gives it. */

import { html, type Markup } from '../../audit/markup.ts';
import { catalogue, type ListedProblem } from '../catalogue.ts';
import { line, listing } from '../html/prose.ts';
import { operations } from '../openapi/document.ts';
import { problemExample } from '../openapi/examples.ts';
import { type Operation, problemsOf } from '../openapi/operation.ts';

/** The main part of the list. */
export function problemList(): Markup {
  return html`<h1>Problems</h1>
<p>${line('Every refusal has a body of type `application/problem+json` (RFC 9457). Its `type` is a URN: go by it, and show `detail` and `issues` to people.')}</p>
<table class="stacked">
<thead><tr><th scope="col">Problem</th><th scope="col">Status</th><th scope="col">What it means</th><th scope="col">The same again?</th></tr></thead>
<tbody>${catalogue.map(
    ({ name, status, means, again }) =>
      html`<tr><th scope="row"><a href="${`/docs/problems/${name}`}">${name}</a></th><td data-name="Status">${status}</td><td>${line(means)}</td><td data-name="The same again?">${again}</td></tr>
`,
  )}</tbody>
</table>
`;
}

/** The main part of one problem's page. */
export function problemPage({ name, type, status, title, means, toDo, again }: ListedProblem): Markup {
  return html`<h1>${title}</h1>
<dl class="facts">
<dt>Type</dt><dd><code>${type}</code></dd>
<dt>Status</dt><dd>${status}</dd>
<dt>The same again?</dt><dd>${again}</dd>
</dl>
<h2>What it means</h2>
<p>${line(means)}</p>
<h2>What to do</h2>
<p>${line(toDo)}</p>
<h2>What it looks like</h2>
${listing(problemExample(name).value)}
<h2>Who gives it</h2>
${givers(name)}
<p><a href="/docs/problems">All problems</a></p>
`;
}

function givers(name: ListedProblem['name']): Markup {
  const by = operations.filter(each => problemsOf(each).includes(name) || each.lineProblems?.includes(name));
  if (by.length === operations.length)
    return html`<p>Every operation.</p>
`;
  if (by.length === 0)
    return html`<p>Every path that there is, asked by another method.</p>
`;
  return html`<ul class="links">${by.map(
    ({ id, method, path }) =>
      html`<li><a href="${`/docs#${id}`}"><code>${method.toUpperCase()} ${path}</code></a>${inLines(name, id)}</li>
`,
  )}</ul>
`;
}

function inLines(name: ListedProblem['name'], id: Operation['id']): Markup | null {
  const operation = operations.find(each => each.id === id);
  return operation?.lineProblems?.includes(name)
    ? html` <span class="quiet">in a line of its answer</span>`
    : null;
}
