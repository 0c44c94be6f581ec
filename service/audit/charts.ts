/**
 * The charts of a report's page. A plot is a stretched SVG of bars and lines without any letter in it; names and numbers stand around
 * it as text, so that they are as large as all other text on a screen of any width and on paper.
 */

import { html, type Markup } from './markup.ts';
import type { AuditReport } from './report.ts';
import { type AnchorGroup, groupsShown, type Spread } from './series.ts';
import { grouped } from './words.ts';

/** Agencies that have a colour of their own; the rest share one. */
const agenciesShown = 5;

/** In units of its own. A plot is as wide as it has bars, or as this. */
const height = 100;
const fewBars = 8;

type Labels = { readonly left: string; readonly right: string; readonly top: string };

export function chartsOf({ figures }: AuditReport): Markup {
  const { anchors } = figures;
  return html`${recordsPerDay(figures)}${
    anchors === null
      ? null
      : [
          spreadChart(anchors.groups, {
            title: 'Anchor lag',
            says: 'From the first record that an anchor covers to the block that anchors it.',
            unit: seconds,
            pick: group => group.lagS,
            all: anchors.all?.lagS ?? null,
          }),
          spreadChart(anchors.groups, {
            title: 'Time brackets',
            says: "From the block that an anchor's records are later than to the block that they are earlier than.",
            unit: seconds,
            pick: group => group.bracketS,
            all: anchors.all?.bracketS ?? null,
          }),
          spreadChart(anchors.groups, {
            title: 'Gas per anchor',
            says: 'What the transaction of an anchor used.',
            unit: value => `${grouped(value)} gas`,
            pick: group => group.gas,
            all: anchors.all?.gas ?? null,
          }),
        ]
  }`;
}

/** `0.573 s`, `12 s`, `2 h 5 min`. */
export function seconds(value: number): string {
  if (Math.abs(value) < 10) return `${Number(value.toFixed(3))} s`;
  if (Math.abs(value) < 120) return `${Math.round(value)} s`;
  const minutes = Math.round(value / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

type Days = AuditReport['figures']['days'];

/** Days side by side, or weeks and longer where there are many. */
type Bar = { readonly from: string; readonly to: string; readonly records: ReadonlyMap<string, number> };

function recordsPerDay({ days, agencies }: AuditReport['figures']): Markup | null {
  // A log that lies may have days of years that no calendar has.
  const dated = days.filter(({ day }) => /^\d{4}-/.test(day));
  const [first, last] = [dated[0], dated.at(-1)];
  if (first === undefined || last === undefined) return null;
  const shown = agencies.slice(0, agenciesShown).map(({ agency }) => agency ?? '');
  const { bars, daysEach } = barsOf(dated, first.day, last.day, shown);
  const totals = bars.map(({ records }) => [...records.values()].reduce((sum, count) => sum + count, 0));
  const most = Math.max(...totals);
  const hasRest = agencies.length > shown.length;
  const names = [...shown, ...(hasRest ? [restName] : [])];
  const rects = bars.flatMap(({ records }, i) => {
    let top = height;
    return names.map((name, series) => {
      const tall = ((records.get(name) ?? 0) / most) * height;
      top -= tall;
      return tall === 0
        ? null
        : html`<rect class="s${series}" x="${i + 0.1}" y="${round(top)}" width="0.8" height="${round(tall)}"/>`;
    });
  });
  const each = daysEach === 1 ? 'day' : `${daysEach} days`;
  return figure({
    title: `Records per ${each} and agency`,
    says: `Days are those of UTC. The most on ${daysEach === 1 ? 'one day' : each}: ${grouped(most)}.`,
    width: bars.length,
    plot: rects,
    labels: {
      top: `${grouped(most)} records`,
      left: first.day,
      right: last.day === first.day ? '' : last.day,
    },
    legend: html`<ul class="legend">${names.map((name, series) => {
      const known = agencies.find(({ agency }) => (agency ?? '') === name);
      return html`<li><span class="key s${series}"></span>${name === restName ? 'all others' : (known?.name ?? (name || 'unknown keys'))}</li>`;
    })}</ul>`,
  });
}

const restName = '\n';
const dayMs = 86_400_000;

function barsOf(
  days: Days,
  first: string,
  last: string,
  shown: readonly string[],
): { readonly bars: readonly Bar[]; readonly daysEach: number } {
  const start = Date.parse(first);
  const count = (Date.parse(last) - start) / dayMs + 1;
  const daysEach = Math.ceil(count / groupsShown);
  const bars = Array.from({ length: Math.ceil(count / daysEach) }, () => new Map<string, number>());
  for (const { day, records } of days) {
    const bar = bars[Math.floor((Date.parse(day) - start) / dayMs / daysEach)];
    for (const [agency, number] of Object.entries(records)) {
      const name = shown.includes(agency) ? agency : restName;
      bar?.set(name, (bar.get(name) ?? 0) + number);
    }
  }
  const dayOf = (n: number) => new Date(start + n * dayMs).toISOString().slice(0, 10);
  return {
    bars: bars.map((records, i) => ({
      from: dayOf(i * daysEach),
      to: dayOf((i + 1) * daysEach - 1),
      records,
    })),
    daysEach,
  };
}

/** For each group a line from the least to the most, and a mark at the median. */
function spreadChart(
  groups: readonly AnchorGroup[],
  chart: {
    readonly title: string;
    readonly says: string;
    readonly unit: (value: number) => string;
    readonly pick: (group: AnchorGroup) => Spread | null;
    readonly all: Spread | null;
  },
): Markup | null {
  const { all, unit, pick, title } = chart;
  const [first, last] = [groups[0], groups.at(-1)];
  if (first === undefined || last === undefined) return null;
  if (all === null)
    return html`<figure class="chart"><h3>${title}</h3><figcaption>${chart.says} No anchor has any yet.</figcaption></figure>`;
  const top = all.most > 0 ? all.most * 1.05 : 1;
  const y = (value: number) => round(height - (Math.max(0, value) / top) * height);
  const marks = groups.map((group, i) => {
    const spread = pick(group);
    if (spread === null) return null;
    const { least, median, most } = spread;
    // One anchor is a bar from the ground up; several are a bar from their least to their most.
    const foot = group.anchors === 1 ? height : y(least);
    const bar = html`<rect class="range" x="${i + 0.2}" y="${y(most)}" width="0.6" height="${Math.max(0.6, round(foot - y(most)))}"/>`;
    const tick = html`<rect class="median" x="${i + 0.1}" y="${round(Math.min(height - 1.6, y(median) - 0.8))}" width="0.8" height="1.6"/>`;
    return [bar, tick];
  });
  const isAhead = all.least < 0;
  const many = groups.some(({ anchors }) => anchors > 1);
  return figure({
    title,
    says: `${chart.says} In the middle ${unit(all.median)}, at least ${unit(all.least)}, at most ${unit(all.most)}.${isAhead ? ' Below 0 the block is dated before the record: it has whole seconds, and clocks differ.' : ''}${many ? ' A bar stands for several anchors, from their least to their most, with a mark in the middle.' : ''}`,
    width: groups.length,
    plot: marks,
    labels: {
      top: unit(all.most > 0 ? Number(top.toPrecision(3)) : 0),
      left: minute(first.firstBlockTime),
      right:
        groups.length === 1 && first.firstBlockTime === last.lastBlockTime ? '' : minute(last.lastBlockTime),
    },
    legend: null,
  });
}

/** `2026-11-24 14:39`. */
function minute(time: string): string {
  return time.slice(0, 16).replace('T', ' ');
}

function round(value: number): number {
  return Number(value.toFixed(2));
}

function figure(parts: {
  readonly title: string;
  readonly says: string;
  readonly width: number;
  readonly plot: readonly (Markup | null | readonly (Markup | null)[])[];
  readonly labels: Labels;
  readonly legend: Markup | null;
}): Markup {
  const { title, says, width, plot, labels, legend } = parts;
  // With few bars, each would be as broad as a hand; and the last does not stand at the right end then.
  const shownWidth = Math.max(width, fewBars);
  const ends =
    width < fewBars && labels.right !== ''
      ? [`${labels.left} to ${labels.right}`]
      : [labels.left, labels.right];
  return html`<figure class="chart">
<h3>${title}</h3>
<p class="top">${labels.top}</p>
<svg viewBox="0 0 ${shownWidth} ${height}" preserveAspectRatio="none" role="img" aria-label="${`${title}. ${says}`}">
<path class="grid" d="M0 0H${shownWidth}M0 50H${shownWidth}M0 ${height}H${shownWidth}"/>${plot}
</svg>
<p class="ends">${ends.map(end => html`<span>${end}</span>`)}</p>
${legend}<figcaption>${says}</figcaption>
</figure>
`;
}
