/** How the service's own pages look: plain, by day and by night, on a wall and on a phone. Colours and measures are tokens. */

export const baseStyle = `
:root {
  color-scheme: light dark;
  --ink: #1c1f23; --quiet: #555c66; --line: #d5d9de; --paper: #ffffff; --wash: #f5f6f8; --mark: #1f4e8c;
  --good: #14643a; --bad: #a3151f; --open: #7a5200;
  --text: system-ui, -apple-system, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif;
  --fixed: ui-monospace, "Liberation Mono", "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e7e9ec; --quiet: #a7aeb8; --line: #3a4048; --paper: #15181c; --wash: #1e2227; --mark: #8db8f0;
    --good: #6fcf97; --bad: #ff8a8a; --open: #e8bd62;
  }
}
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); scroll-padding-top: 1rem; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 62rem; font: 1rem/1.55 var(--text); overflow-wrap: anywhere; }
h1, h2, h3, h4 { line-height: 1.25; margin: 0; font-weight: 650; }
h1 { font-size: 1.6rem; margin: 1.5rem 0 .75rem; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 .75rem; }
h3 { font-size: 1.0625rem; margin: 2rem 0 .5rem; }
h4 { font-size: .9375rem; margin: 1.25rem 0 .35rem; color: var(--quiet); }
p { margin: 0 0 .6rem; max-width: 44rem; }
a { color: var(--mark); }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
code, pre { font: .875em/1.5 var(--fixed); }
pre { background: var(--wash); border: 1px solid var(--line); padding: .75rem; margin: 0 0 .75rem; white-space: pre-wrap; }
.skip { position: absolute; left: -100vw; }
.skip:focus { position: static; }
.site { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; border-bottom: 1px solid var(--line); padding: 0 0 .6rem; margin: 0; list-style: none; }
.site a, ul.links a { display: inline-block; min-height: 1.75rem; padding: .15rem 0; }
ul.links { list-style: none; padding: 0; margin: 0 0 .75rem; }
dl.facts { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: .35rem 1.25rem; margin: 0 0 1rem; }
dl.facts dt { color: var(--quiet); } dl.facts dd { margin: 0; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
caption { text-align: left; color: var(--quiet); padding-bottom: .4rem; }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--quiet); font-weight: 550; }
tbody th { font-weight: 550; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.quiet { color: var(--quiet); }
@media (min-width: 40.01rem) { thead th, tbody th { white-space: nowrap; } }
@media (max-width: 40rem) {
  body { padding-top: 1rem; }
  h1 { font-size: 1.35rem; }
  dl.facts { grid-template-columns: 1fr; gap: 0; } dl.facts dd { margin-bottom: .5rem; }
  table.stacked, table.stacked tbody, table.stacked tr, table.stacked th, table.stacked td { display: block; width: auto; }
  table.stacked thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table.stacked tr { border-top: 1px solid var(--line); padding: .6rem 0; }
  table.stacked th, table.stacked td { border: 0; padding: 0 0 .15rem; text-align: left; white-space: normal; }
  table.stacked td[data-name]::before { content: attr(data-name) ": "; color: var(--quiet); }
}
@media print { .site, .skip { display: none; } body { max-width: none; } }
`;
