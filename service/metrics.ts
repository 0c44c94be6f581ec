/** Metrics for Prometheus: what an operator is woken for, and what they look at then. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** How far the log has come, entry counts per state of a record (DESIGN 4). */
export type LogSizes = {
  readonly sequenced: number;
  readonly signed: number;
  readonly anchored: number;
  readonly final: number;
};

/** What is asked at the moment of a scrape. */
export type Gauges = {
  readonly sizes: () => LogSizes;
  /** Whether submissions are taken. */
  readonly accepting: () => boolean;
  /** How long the oldest record has waited for a final anchor; 0 when none waits. */
  readonly waitingMs: () => number;
  /** How many uploads and streams are under way, and how many bytes of batches are held. */
  readonly underWay: () => { readonly uploads: number; readonly streams: number; readonly bytes: number };
};

export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<'method' | 'route' | 'status'>;
  readonly #durations: Histogram<'method' | 'route'>;
  readonly #records: Counter<'outcome'>;
  readonly #commits: Histogram;
  readonly #limited: Counter<'limit'>;

  constructor() {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Counter({
      name: 'zegel_http_requests_total',
      help: 'Requests answered, by the pattern of their path',
      labelNames: ['method', 'route', 'status'],
      registers,
    });
    this.#durations = new Histogram({
      name: 'zegel_http_request_seconds',
      help: 'Seconds from the request line to the answer',
      labelNames: ['method', 'route'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 60],
      registers,
    });
    this.#records = new Counter({
      name: 'zegel_records_total',
      help: 'Submissions answered by the ledger: new records and retries of recorded ones',
      labelNames: ['outcome'],
      registers,
    });
    this.#limited = new Counter({
      name: 'zegel_limited_total',
      help: 'Refusals because a key or an address met a limit, an upload found no room or came too slowly',
      labelNames: ['limit'],
      registers,
    });
    this.#commits = new Histogram({
      name: 'zegel_commit_records',
      help: 'New records in one atomic commit',
      buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000],
      registers,
    });
  }

  /** The media type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in the text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Counts an answered request. `route` is a pattern of ours, never a path. */
  countRequest(request: {
    readonly method: string;
    readonly route: string;
    readonly status: number;
    readonly ms: number;
  }): void {
    // A method is the caller's text: without a route it could be any of a hundred.
    const method = request.route === 'none' ? 'any' : request.method;
    this.#requests.inc({ method, route: request.route, status: request.status });
    this.#durations.observe({ method, route: request.route }, request.ms / 1000);
  }

  /** Counts what one commit of the ledger brought. */
  countBatch({ records, retries }: { readonly records: number; readonly retries: number }): void {
    if (records > 0) this.#commits.observe(records);
    this.#records.inc({ outcome: 'new' }, records);
    this.#records.inc({ outcome: 'retry' }, retries);
  }

  /** Counts a refusal by the limit that was met. */
  countLimited(limit: string): void {
    this.#limited.inc({ limit });
  }

  /** Adds what is read at each scrape. */
  watch({ sizes, accepting, waitingMs, underWay }: Gauges): void {
    const registers = [this.#registry];
    new Gauge({
      name: 'zegel_log_size',
      help: 'Entries of the log that are sequenced, signed, anchored and final',
      labelNames: ['state'],
      registers,
      collect() {
        for (const [state, size] of Object.entries(sizes())) this.set({ state }, size);
      },
    });
    new Gauge({
      name: 'zegel_accepting',
      help: 'Whether submissions are taken (1) or refused (0)',
      registers,
      collect() {
        this.set(accepting() ? 1 : 0);
      },
    });
    new Gauge({
      name: 'zegel_uploads',
      help: 'Uploads to the batch end point that are under way',
      registers,
      collect() {
        this.set(underWay().uploads);
      },
    });
    new Gauge({
      name: 'zegel_streams',
      help: 'Streams of events that are under way',
      registers,
      collect() {
        this.set(underWay().streams);
      },
    });
    new Gauge({
      name: 'zegel_held_bytes',
      help: 'Bytes of batches that are held until their roots are known to fit',
      registers,
      collect() {
        this.set(underWay().bytes);
      },
    });
    new Gauge({
      name: 'zegel_anchor_waiting_seconds',
      help: 'Seconds that the oldest record has waited for a final anchor',
      registers,
      collect() {
        this.set(waitingMs() / 1000);
      },
    });
  }
}
