/** The bench's table: medians of its rounds, each rate beside its limit and the ratio that it should reach. */

/** What was measured in a round, by name. */
export type Figures = Readonly<Record<string, number>>;

/** A rate beside its limit. */
type Row = { readonly name: string; readonly rate: string; readonly limit: string; readonly atLeast: number };

/**
 * Each rate is held against two limits: what a program written in the plain way reaches, as FACTS.md measured it and as the bars were
 * set; and the highest that we could build for this bench.
 */
const rows: readonly Row[] = [
  { name: 'ES256 statements, a line each', rate: 'lines ES256', limit: 'plain checks ES256', atLeast: 0.45 },
  {
    name: 'Ed25519 statements, a line each',
    rate: 'lines Ed25519',
    limit: 'plain checks Ed25519',
    atLeast: 0.5,
  },
  {
    name: 'one record per request, node:http clients',
    rate: 'ordinary requests',
    limit: 'ordinary Koa',
    atLeast: 0.4,
  },
  { name: 'events under batch statements', rate: 'batch events', limit: 'plain commits', atLeast: 0.4 },
  { name: 'ES256 statements, a line each', rate: 'lines ES256', limit: 'checks ES256', atLeast: 0.45 },
  { name: 'Ed25519 statements, a line each', rate: 'lines Ed25519', limit: 'checks Ed25519', atLeast: 0.5 },
  { name: 'one record per request, bare sockets', rate: 'requests', limit: 'bare Koa', atLeast: 0.4 },
  { name: 'events under batch statements', rate: 'batch events', limit: 'bare commits', atLeast: 0.4 },
];

/** A figure that should stay under a bar, where it has one. */
type Bar = {
  readonly name: string;
  readonly figure: string;
  readonly unit: string;
  readonly atMost?: number;
};

const bars: readonly Bar[] = [
  { name: 'answer to one record at full load, p50', figure: 'full p50', unit: 'ms' },
  { name: 'answer to one record at full load, p99', figure: 'full p99', unit: 'ms' },
  { name: 'at a quarter of that load, p50', figure: 'quarter p50', unit: 'ms', atMost: 15 },
  { name: 'at a quarter of that load, p99', figure: 'quarter p99', unit: 'ms', atMost: 80 },
  { name: 'peak memory of the service', figure: 'memory', unit: 'MiB', atMost: 500 },
  { name: 'a core is busy for an ES256 line', figure: 'cpu lines ES256', unit: 'µs' },
  { name: 'a core is busy for an Ed25519 line', figure: 'cpu lines Ed25519', unit: 'µs' },
  { name: 'a core is busy for a batch event', figure: 'cpu batch events', unit: 'µs' },
];

/** The value below which that share of values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Medians over rounds. A ratio is the median of the rounds' ratios: what slows a round down slows both of its sides. */
export function summaryOf(rounds: readonly Figures[]) {
  const median = (of: (figures: Figures) => number) => quantile(rounds.map(of), 0.5);
  const isMeasured = (name: string) => rounds.every(figures => name in figures);
  const figure = (name: string) => median(figures => figures[name] ?? Number.NaN);
  return {
    rates: rows
      .filter(({ rate }) => isMeasured(rate))
      .map(({ name, rate, limit, atLeast }) => ({
        name,
        perSecond: figure(rate),
        limit,
        limitPerSecond: figure(limit),
        ratio: median(figures => (figures[rate] ?? Number.NaN) / (figures[limit] ?? Number.NaN)),
        atLeast,
      })),
    bars: bars.filter(bar => isMeasured(bar.figure)).map(bar => ({ ...bar, value: figure(bar.figure) })),
    checks: Object.keys(rounds[0] ?? {})
      .filter(name => name.startsWith('checks '))
      .map(name => ({ name, perSecond: figure(name) })),
  };
}

/** Prints a summary for people. */
export function printTable({ rates, bars, checks }: ReturnType<typeof summaryOf>): void {
  const count = (value: number) => Math.round(value).toLocaleString('en').padStart(9);
  console.log(`${''.padEnd(40)}${'a second'.padStart(9)}${'limit'.padStart(9)}  ratio  at least`);
  for (const { name, perSecond, limit, limitPerSecond, ratio, atLeast } of rates) {
    const verdict = ratio >= atLeast ? '' : '  not reached';
    console.log(
      `${name.padEnd(40)}${count(perSecond)}${count(limitPerSecond)}   ${ratio.toFixed(2)}      ${atLeast.toFixed(2)}  of ${limit}${verdict}`,
    );
  }
  console.log('');
  for (const { name, unit, value, atMost } of bars) {
    const bar = atMost === undefined ? '' : `  at most ${atMost}${value <= atMost ? '' : '  not reached'}`;
    console.log(`${name.padEnd(40)}${value.toFixed(1).padStart(9)} ${unit}${bar}`);
  }
  console.log('');
  for (const { name, perSecond } of checks)
    console.log(`${`signature ${name}`.padEnd(40)}${count(perSecond)} a second`);
}
