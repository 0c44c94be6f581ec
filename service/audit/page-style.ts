/** How a report's page looks: on a screen of any width, by day and by night, and on paper. */

export const pageStyle = `
:root {
  color-scheme: light dark;
  --ink: #1c1f23; --quiet: #555c66; --line: #d5d9de; --paper: #ffffff; --wash: #f5f6f8;
  --good: #14643a; --bad: #a3151f; --open: #7a5200; --mark: #1f4e8c; --range: #a9c1e2;
  --s0: #1f4e8c; --s1: #c2681a; --s2: #3f8f5f; --s3: #8a5aa8; --s4: #b08f13; --s5: #8b929b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e7e9ec; --quiet: #a7aeb8; --line: #3a4048; --paper: #15181c; --wash: #1e2227;
    --good: #6fcf97; --bad: #ff8a8a; --open: #e8bd62; --mark: #8db8f0; --range: #35557f;
    --s0: #7fb0ee; --s1: #f0a05a; --s2: #7fcf9b; --s3: #c79ce2; --s4: #dcc35a; --s5: #8b929b;
  }
}
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 62rem;
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif;
}
h1, h2, h3 { line-height: 1.25; margin: 0; font-weight: 650; }
h1 { font-size: 1.05rem; color: var(--quiet); overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 .75rem; }
h3 { font-size: 1rem; }
p { margin: 0 0 .6rem; max-width: 44rem; }
a { color: var(--mark); }
code, pre { font: .875em/1.5 ui-monospace, "Liberation Mono", "DejaVu Sans Mono", monospace; }
code { overflow-wrap: anywhere; }
pre { background: var(--wash); border: 1px solid var(--line); padding: .75rem; margin: 0 0 .75rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.verdict { border-left: .4rem solid var(--tone); padding: .25rem 0 .25rem 1.1rem; margin: .75rem 0 0; }
.verdict .word { color: var(--tone); font-weight: 650; margin: 0; }
.verdict .sentence { font-size: 1.6rem; line-height: 1.25; font-weight: 650; margin: 0 0 .75rem; max-width: 40rem; overflow-wrap: anywhere; }
.verdict p { overflow-wrap: anywhere; }
.yes { --tone: var(--good); } .no { --tone: var(--bad); } .could-not-check { --tone: var(--open); }
.verdict p:last-child { margin-bottom: 0; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
caption { text-align: left; color: var(--quiet); padding-bottom: .4rem; }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { border-top: 0; color: var(--quiet); font-weight: 550; white-space: nowrap; }
tbody th { font-weight: 550; white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.date { white-space: nowrap; font-variant-numeric: tabular-nums; }
td p { margin: 0 0 .3rem; }
.fault { color: var(--bad); font-weight: 650; } .notice { color: var(--open); font-weight: 650; }
dl.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); gap: 1rem 1.5rem; margin: 0; }
dl.figures div { border-top: 1px solid var(--line); padding-top: .4rem; }
dl.figures dt { color: var(--quiet); font-size: .875rem; }
dl.figures dd { margin: 0; font-size: 1.125rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 2rem 2.5rem; margin-top: 2rem; }
.chart { margin: 0; min-width: 0; }
.chart svg { display: block; width: 100%; height: 9rem; }
.chart .top, .chart .ends, .chart figcaption, .legend { font-size: .875rem; color: var(--quiet); }
.chart .top { margin: .4rem 0 .2rem; }
.chart .ends { display: flex; justify-content: space-between; margin: .25rem 0 .4rem; font-variant-numeric: tabular-nums; max-width: none; }
.grid { fill: none; stroke: var(--line); stroke-width: 1px; vector-effect: non-scaling-stroke; }
.range { fill: var(--range); } .median { fill: var(--mark); }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; padding: 0; margin: 0 0 .4rem; }
.key { display: inline-block; width: .8em; height: .8em; margin-right: .4em; }
rect.s0 { fill: var(--s0); } rect.s1 { fill: var(--s1); } rect.s2 { fill: var(--s2); }
rect.s3 { fill: var(--s3); } rect.s4 { fill: var(--s4); } rect.s5 { fill: var(--s5); }
.key.s0 { background: var(--s0); } .key.s1 { background: var(--s1); } .key.s2 { background: var(--s2); }
.key.s3 { background: var(--s3); } .key.s4 { background: var(--s4); } .key.s5 { background: var(--s5); }
.spaced { margin-top: 1.6rem; }
ul.plain { margin: 0; padding-left: 1.1rem; max-width: 44rem; } ul.plain li { margin-bottom: .35rem; }
@media (max-width: 40rem) {
  body { padding-top: 1.5rem; }
  .verdict .sentence { font-size: 1.3rem; }
  dl.figures { grid-template-columns: 1fr 1fr; }
  table.stacked, table.stacked tbody, table.stacked tr, table.stacked th, table.stacked td { display: block; width: auto; }
  table.stacked thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table.stacked tr { border-top: 1px solid var(--line); padding: .6rem 0; }
  table.stacked th, table.stacked td { border: 0; padding: 0 0 .15rem; text-align: left; white-space: normal; }
  table.stacked td[data-name]::before { content: attr(data-name) ": "; color: var(--quiet); }
}
@page { size: A4; margin: 18mm 16mm; }
@media print {
  :root {
    color-scheme: light;
    --ink: #000; --quiet: #444; --line: #bbb; --paper: #fff; --wash: #fff; --good: #14643a; --bad: #a3151f; --open: #7a5200;
    --mark: #1f4e8c; --range: #a9c1e2; --s0: #1f4e8c; --s1: #c2681a; --s2: #3f8f5f; --s3: #8a5aa8; --s4: #b08f13; --s5: #8b929b;
  }
  html { font-size: 10pt; }
  body { padding: 0; max-width: none; }
  h2 { margin-top: 1.6rem; break-after: avoid; }
  .charts { grid-template-columns: 1fr 1fr; gap: 1.2rem 1.6rem; margin-top: 1.2rem; }
  .chart, tr, pre, dl.figures div { break-inside: avoid; }
  .chart svg { height: 6rem; }
  thead { display: table-header-group; }
  rect, .key, .verdict { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
