/** The ledger's face as a page: what this is, how the log is, and where to go from here. It says nothing about anybody. */

import { formatTime } from '../../../merkle/entry.ts';
import { html, type Markup } from '../../audit/markup.ts';
import type { Pulse, ShownAnchor } from '../../pulse.ts';
import { framed, type Page, prefixOf } from '../html/shell.ts';
import { formatCondition } from '../stream.ts';
import { live } from './live.ts';
import { type Language, type Words, words } from './words.ts';

type View = Awaited<ReturnType<Pulse['view']>>;

const style = `
.now { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1.25rem 1.75rem; margin: 0; }
@media (min-width: 48rem) { .now { grid-template-columns: repeat(3, minmax(0, 1fr)); } }
.now div { border-top: 2px solid var(--line); padding-top: .4rem; }
.now dt { color: var(--quiet); font-size: .9375rem; } .now dd { margin: 0; }
.now .figure { font-size: 1.75rem; line-height: 1.25; font-weight: 650; font-variant-numeric: tabular-nums; }
.now .codes { font: .8125rem/1.4 var(--fixed); color: var(--quiet); }
.now [data-state]::before { content: ""; display: inline-block; width: .75em; height: .75em; margin-right: .45em; border: 2px solid var(--tone); background: var(--tone); border-radius: 50%; }
[data-state] { --tone: var(--good); }
[data-state=DEGRADED], [data-state=silent], [data-state=trouble] { --tone: var(--open); }
[data-state=DOWN] { --tone: var(--bad); }
.now [data-state=DEGRADED]::before, .now [data-state=silent]::before, .now [data-state=trouble]::before { background: transparent; border-radius: 0; }
.now [data-state=DOWN]::before { border-radius: 0; }
.chart { margin: 2rem 0 0; } .chart svg { display: block; width: 100%; height: 7rem; border-bottom: 1px solid var(--line); }
.chart rect { fill: var(--mark); } .chart figcaption { margin-top: .4rem; }
.chart .ends { display: flex; justify-content: space-between; max-width: none; margin: .2rem 0 0; color: var(--quiet); font-size: .875rem; }
.chart ul { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.5rem; margin: .3rem 0 0; padding: 0; }
.origin { color: var(--quiet); margin-top: -.4rem; }
.what { font-size: 1.125rem; }
.ways { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 16rem), 1fr)); gap: 0 2rem; }
.ways p a { display: inline-block; min-height: 1.75rem; }
@media (max-width: 40rem) {
  table.stacked tr { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1.75rem; }
  table.stacked td:nth-child(3) { grid-column: 1 / -1; }
  table.stacked th[data-name]::before { content: attr(data-name) ": "; color: var(--quiet); font-weight: 400; }
}
@media (min-width: 100rem) and (min-height: 50rem) { html { font-size: 125%; } }
`;

/** Paints the face as it is now. */
export function facePage(
  view: View,
  about: {
    readonly origin: string;
    readonly baseUrl: string | undefined;
    readonly language: Language;
    /** The languages that are on. */
    readonly on: readonly Language[];
  },
): Page {
  const { origin, baseUrl, language, on } = about;
  const said = words[language];
  const { site } = said;
  return framed({
    baseUrl,
    lang: language,
    title: `${said.title}: ${origin}`,
    skip: said.skip,
    site: [
      { href: '/', text: site.ledger },
      { href: '/verify', text: site.verify },
      { href: '/docs', text: site.docs },
      { href: '/docs/problems', text: site.problems },
    ],
    style,
    script: `(${live.toString()})();`,
    main: html`<h1>${said.title}</h1>
<p class="origin"><code>${origin}</code></p>
${said.what.map(
  sentence => html`<p class="what">${sentence}</p>
`,
)}<p class="quiet">${said.translation === null ? null : `${said.translation} `}${on.includes(said.other.lang) ? html`<a href="${`/?lang=${said.other.lang}`}" lang="${said.other.lang}" hreflang="${said.other.lang}">${said.other.text}</a>` : null}</p>
${nowOf(view, said, language, baseUrl)}${anchorsOf(view.anchors, said, language)}${waysOf(said, baseUrl)}`,
  });
}

function nowOf(view: View, said: Words, language: Language, baseUrl: string | undefined): Markup {
  const { sizes, now } = view;
  const { status, reasons, chain, waitingSince } = formatCondition(view.condition);
  const figure = (name: 'signed' | 'anchored' | 'final', text: string) =>
    html`<div><dt>${text}</dt><dd class="figure" data-live="${name}">${numbers[language].format(sizes[name])}</dd></div>
`;
  return html`<section>
<h2>${said.now}</h2>
<dl class="now">
${figure('signed', said.entries)}${figure('anchored', said.anchored)}${figure('final', said.final)}<div><dt>${said.health}</dt><dd><span role="status" data-live="health" data-state="${status}">${said.statuses[status]}</span></dd><dd class="codes" data-live="reasons">${reasons.join(', ')}</dd></div>
<div><dt>${said.chain}</dt><dd><span data-live="chain" data-state="${chain}">${said.chains[chain]}</span></dd></div>
<div><dt>${said.waiting}</dt><dd data-live="waiting">${waitingSince === null ? said.nobodyWaits : `${said.since} ${minute(waitingSince)}`}</dd></div>
</dl>
${chartOf(view, said, language)}<p class="quiet"><time data-live="time">${minute(formatTime(now))}</time> UTC. <span data-live="state"></span></p>
<span hidden data-live="words" data-stream="${`${prefixOf(baseUrl)}/v1/log/stream`}" data-on="${said.live}" data-lost="${said.notLive}" data-since="${said.since}" data-nobody="${said.nobodyWaits}"${Object.entries(said.statuses).map(([name, text]) => attribute(`status-${name.toLowerCase()}`, text))}${Object.entries(said.chains).map(([name, text]) => attribute(`chain-${name}`, text))}></span>
</section>
`;
}

function attribute(name: string, text: string): Markup {
  return html` data-${name}="${text}"`;
}

function chartOf({ minutes, since, now }: View, said: Words, language: Language): Markup {
  const most = Math.max(...minutes);
  const total = minutes.reduce((sum, count) => sum + count, 0);
  const bars = minutes.map((count, i) => {
    const height = most === 0 ? 0 : (100 * count) / most;
    return html`<rect x="${i + 0.1}" y="${100 - height}" width="0.8" height="${height}"/>`;
  });
  const isYoung = now - since < 3_600_000;
  return html`<figure class="chart">
<h3>${said.perMinute}</h3>
<svg viewBox="0 0 60 100" preserveAspectRatio="none" aria-hidden="true" data-live="chart">${bars}</svg>
<p class="ends"><span>${said.hourAgo}</span><span>${said.now.toLowerCase()}</span></p>
<figcaption><ul><li>${said.inAll}: <span data-live="total">${numbers[language].format(total)}</span></li><li>${said.most}: <span data-live="most">${numbers[language].format(most)}</span></li>${isYoung ? html`<li>${said.started} ${minute(formatTime(since)).slice(11)} UTC</li>` : null}</ul></figcaption>
</figure>
`;
}

function anchorsOf(anchors: readonly ShownAnchor[], said: Words, language: Language): Markup {
  const number = numbers[language];
  return html`<section>
<h2>${said.anchors}</h2>
<p>${said.anchorsSay}</p>
${
  anchors.length > 0
    ? null
    : html`<p data-live="no-anchors">${said.noAnchors}</p>
`
}<table class="stacked">
<thead><tr data-live="anchor-names"><th scope="col">${said.size}</th><th scope="col">${said.block}</th><th scope="col">${said.time}</th><th scope="col">${said.lag}</th></tr></thead>
<tbody data-live="anchors">${anchors.map(
    ({ size, block, blockTime, lagMs }) =>
      html`<tr data-size="${size}"><th scope="row" data-name="${said.size}">${number.format(size)}</th><td data-name="${said.block}">${number.format(block)}</td><td data-name="${said.time}">${minute(formatTime(blockTime * 1000))}</td><td data-name="${said.lag}">${lagMs === undefined ? '' : seconds(lagMs, number)}</td></tr>
`,
  )}</tbody>
</table>
</section>
`;
}

function waysOf(said: Words, baseUrl: string | undefined): Markup {
  const command = `npx zegel audit --url ${baseUrl ?? 'https://…'} --rpc https://… --trust trust.json --report report.html`;
  return html`<div class="ways">
<section><h2>${said.check}</h2><p>${said.checkSay}</p><p><a href="/verify">${said.checkLink}</a></p></section>
<section><h2>${said.build}</h2><p>${said.buildSay}</p><p><a href="/docs">${said.buildLink}</a></p></section>
</div>
<section><h2>${said.audit}</h2><p>${said.auditSay}</p><pre><code>${command}</code></pre></section>
`;
}

const numbers: Readonly<Record<Language, Intl.NumberFormat>> = {
  nl: new Intl.NumberFormat('nl'),
  en: new Intl.NumberFormat('en'),
};

/** `2026-11-24 14:39:07`: the same for all, whoever looks from where. */
function minute(time: string): string {
  return time.slice(0, 19).replace('T', ' ');
}

/** `3.2 s`, `45 s`, `12 min`. */
function seconds(ms: number, number: Intl.NumberFormat): string {
  const s = ms / 1000;
  if (s < 10) return `${number.format(Math.round(s * 10) / 10)} s`;
  return s < 120 ? `${Math.round(s)} s` : `${number.format(Math.round(s / 60))} min`;
}
