/**
 * The report as one page of HTML, for people: the verdict first, then what was checked, figures, findings, and how to do it again.
 *
 * It is whole in itself: no script, no font, no picture and no address is fetched, and its policy forbids all of them. Everything that
 * comes from the log, the chain or a file is put in as text (`markup.ts`).
 */

import { createHash } from 'node:crypto';
import { chartsOf, seconds } from './charts.ts';
import { html, type Markup } from './markup.ts';
import { pageStyle } from './page-style.ts';
import type { AuditReport, ReportedFinding } from './report.ts';
import { counted, grouped } from './words.ts';

const words = { yes: 'Yes', no: 'No', 'could-not-check': 'Could not check' } as const;
const partNames = {
  log: 'The log',
  chain: 'The chain',
  between: 'Between them',
  records: 'The records',
} as const;

/** Findings and proofs on a page that can still be read and printed; the JSON report has all that was kept. */
const findingsShown = 200;
const proofShown = 200;

export function auditPage(report: AuditReport): string {
  const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(pageStyle).digest('base64')}'; base-uri 'none'; form-action 'none'`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${`${words[report.verdict]}: audit of ${report.log.origin}`}</title>
<style>${{ markup: pageStyle }}</style>
</head>
<body>
<header>
<h1>${`Audit of ${report.log.origin}, ${report.times.ended.slice(0, 10)}`}</h1>
<div class="${`verdict ${report.verdict}`}">
<p class="word">${words[report.verdict]}</p>
<p class="sentence">${report.sentence}</p>
<p><strong>Why:</strong> ${report.reason}</p>
<p><strong>What to do:</strong> ${report.next}</p>
</div>
</header>
<main>
${partsOf(report)}${findingsOf(report)}${figuresOf(report)}${contractsOf(report)}${repeatOf(report)}${limitsOf()}
</main>
</body>
</html>
`;
  return page.markup;
}

function partsOf({ parts, unchecked }: AuditReport): Markup {
  return html`<section>
<h2>What was checked</h2>
<table class="stacked">
<thead><tr><th scope="col">Part</th><th scope="col">Checked</th><th scope="col">How</th></tr></thead>
<tbody>${parts.map(
    ({ name, checked, says }) =>
      html`<tr><th scope="row">${partNames[name]}</th><td data-name="Checked">${checked === 'whole' ? 'yes' : 'no'}</td><td>${says}</td></tr>
`,
  )}</tbody>
</table>
${
  unchecked.length === 0
    ? null
    : html`<h3 class="spaced">What could not be had</h3><ul class="plain">${unchecked.map(({ message }) => html`<li>${message}</li>`)}</ul>`
}</section>
`;
}

function findingsOf({ findings, counts }: AuditReport): Markup {
  const total = counts.faults + counts.notices;
  if (total === 0)
    return html`<section><h2>Findings</h2><p>There are none.</p></section>
`;
  const shown = findings.slice(0, findingsShown);
  const codes = Object.entries(counts.byCode);
  return html`<section>
<h2>Findings</h2>
<p>${`${counted(counts.faults, 'fault')}, ${counted(counts.notices, 'notice')}: `}${codes
    .map(([code, count]) => `${code} ${grouped(count)}`)
    .join(', ')}.</p>
<table class="stacked">
<thead><tr><th scope="col">Severity</th><th scope="col">Code and place</th><th scope="col">What was found</th></tr></thead>
<tbody>${shown.map(findingRow)}</tbody>
</table>
${total > shown.length ? html`<p>${`${counted(total - shown.length, 'finding')} more are not on this page; the report in JSON has up to 100 of each code.`}</p>` : null}</section>
`;
}

function findingRow({ code, severity, place, message, proof, means, next, stands }: ReportedFinding): Markup {
  const where = Object.entries(place).map(([name, value]) => `${name === 'index' ? 'entry' : name} ${value}`);
  const proofs = Object.entries(proof).filter(([, text]) => text !== '');
  const stand =
    stands === 'signed'
      ? 'A signature or the chain vouches for this.'
      : 'This is what was handed out: who doubts it asks again.';
  return html`<tr><td><span class="${severity}">${severity}</span></td><td><p><code>${code}</code></p><p>${where.join(', ')}</p></td><td><p>${message}</p><p>${`${means} ${next} ${stand}`}</p>${proofs.map(
    ([name, text]) =>
      html`<p>${name}: <code>${text.length > proofShown ? `${text.slice(0, proofShown)}… (${grouped(text.length)} characters)` : text}</code></p>`,
  )}</td></tr>
`;
}

function figuresOf(report: AuditReport): Markup {
  const { figures, log, chain, finality } = report;
  const { kinds, anchors, blocks, agencies } = figures;
  const all = anchors?.all ?? null;
  const pairs: (readonly [string, string | null])[] = [
    ['Entries', log.size === null ? null : grouped(log.size)],
    ['Records', kinds && grouped(kinds.transaction + kinds.audit)],
    ['of these, transactions', kinds && grouped(kinds.transaction)],
    [
      'Agencies with records',
      chain.final && grouped(agencies.filter(({ agency }) => agency !== null).length),
    ],
    ['Anchors after the opening', anchors && grouped(all?.anchors ?? 0)],
    ['Records not yet anchored', figures.unanchored === null ? null : grouped(figures.unanchored)],
    ['Longest time between anchors', anchors?.longestGapS == null ? null : seconds(anchors.longestGapS)],
    ['Newest entry', log.lastTime && moment(log.lastTime)],
    ['Blocks read', blocks && grouped(blocks.blocks)],
    ['Transactions replayed', blocks && grouped(blocks.replayed)],
    ['Final block', chain.final && grouped(chain.final.number)],
    ['Finality', finality === 'proved' ? 'proved by seals' : finality],
  ];
  return html`<section>
<h2>Figures</h2>
<dl class="figures">${pairs.map(([name, value]) => (value === null ? null : html`<div><dt>${name}</dt><dd>${value}</dd></div>`))}</dl>
${agenciesOf(report)}<div class="charts">${chartsOf(report)}</div>
</section>
`;
}

/** `2026-11-24 08:03:25 UTC`. */
function moment(time: string): string {
  return /^\d{4}-/.test(time) ? `${time.slice(0, 19).replace('T', ' ')} UTC` : time;
}

function agenciesOf({ figures: { agencies } }: AuditReport): Markup | null {
  if (agencies.length === 0) return null;
  return html`<h3 class="spaced">Records by agency</h3><table class="stacked">
<thead><tr><th scope="col">Agency</th><th scope="col">Name on the chain</th><th scope="col" class="number">Keys</th><th scope="col" class="number">Records</th><th scope="col">From</th><th scope="col">To</th></tr></thead>
<tbody>${agencies.map(
    ({ agency, name, keys, records, firstTime, lastTime }) =>
      html`<tr><th scope="row">${agency ?? 'unknown'}</th><td>${name ?? 'Keys that the registry does not have'}</td><td class="number" data-name="Keys">${grouped(keys)}</td><td class="number" data-name="Records">${grouped(records)}</td><td class="date" data-name="From">${firstTime.slice(0, 10)}</td><td class="date" data-name="To">${lastTime.slice(0, 10)}</td></tr>
`,
  )}</tbody>
</table>
`;
}

function contractsOf({ chain }: AuditReport): Markup | null {
  if (chain.contracts.length === 0) return null;
  return html`<section>
<h2>Contracts</h2>
<table class="stacked">
<thead><tr><th scope="col">Contract</th><th scope="col">On the chain</th><th scope="col">After the replay</th></tr></thead>
<tbody>${chain.contracts.map(({ name, address, storageRoot, codeHash, replayed }) => {
    const same = (a: string, b: string) =>
      a === b ? 'the same' : html`<span class="fault">differs</span> <code>${b}</code>`;
    return html`<tr><th scope="row">${name}</th><td><p>address <code>${address}</code></p><p>storage <code>${storageRoot}</code></p><p>code <code>${codeHash}</code></p></td><td><p>storage: ${same(storageRoot, replayed.storageRoot)}</p><p>code: ${same(codeHash, replayed.codeHash)}</p></td></tr>
`;
  })}</tbody>
</table>
</section>
`;
}

function repeatOf({ repeat, log, chain, times, earlier }: AuditReport): Markup {
  const { trust, exports, versions } = repeat;
  const rows: (readonly [string, string | null])[] = [
    ['Trust file', `${trust.file}, number ${trust.sequence} of ${trust.issued}, SHA-256 ${trust.sha256}`],
    ...exports.map(
      ({ file, sha256 }) =>
        ['Export', `${file}, SHA-256 ${sha256 ?? 'unknown: it was not read to its end'}`] as const,
    ),
    ['Log id', log.logId],
    ['Root', log.root],
    [
      'Chain',
      `${chain.chainId}${chain.final === null ? '' : `, up to block ${chain.final.number}, ${chain.final.hash}, of ${moment(chain.final.time)}`}`,
    ],
    [
      'Goes on from',
      earlier && `the audit that ended ${moment(earlier.ended)}, up to entry ${grouped(earlier.size)}`,
    ],
    ['Made', `from ${moment(times.started)} to ${moment(times.ended)}, in ${seconds(times.seconds)}`],
    [
      'With',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
  ];
  return html`<section>
<h2>To do it again</h2>
<p>Get the trust file by a road of your own, compare its fingerprint, and type:</p>
<pre>${repeat.command}</pre>
<table class="stacked"><tbody>${rows.map(([name, value]) =>
    value === null
      ? null
      : html`<tr><th scope="row">${name}</th><td>${value}</td></tr>
`,
  )}</tbody></table>
${log.checkpoint === null ? null : html`<p class="spaced">The checkpoint that this audit went up to, as the log signed it:</p><pre>${log.checkpoint}</pre>`}</section>
`;
}

function limitsOf(): Markup {
  return html`<section>
<h2>What no audit of a log sees</h2>
<ul class="plain">
<li>Whether what a record says is true: it proves that its agency said so, and when.</li>
<li>A record that an agency never sent, or that was refused before it was acknowledged.</li>
<li>A log that others are shown, unless somebody brings a checkpoint of it.</li>
<li>Times more exactly than the blocks before and after them.</li>
</ul>
</section>
`;
}
