/**
 * The log as anybody can have it: the public interface over HTTP, each answer within a time and a length.
 *
 * Nothing that comes is believed. What is no answer in its form (no connection, a stall, a redirect, a page of HTML with status 200,
 * a body without end, a refusal) is `CouldNotCheck`: it says nothing about the log. What is said to be a tile or a bundle is
 * handed on as it is, whatever it holds: that is for the audit to judge.
 */

import { setTimeout as sleepFor } from 'node:timers/promises';
import { abbreviate, concatBytes, formatBase64url, parseUtf8 } from '../../merkle/bytes.ts';
import { formatTime } from '../../merkle/entry.ts';
import { FormatError } from '../../merkle/errors.ts';
import { type Json, JsonReader, parseJson } from '../../merkle/json.ts';
import { type Evidence, readEvidence } from '../../merkle/receipt.ts';
import { bundlePath, type Tile, tilePath, tileWidth } from '../../merkle/tiles.ts';
import { CouldNotCheck } from './findings.ts';

/** What a service says about its log; nobody has signed it. */
export type About = {
  readonly origin: string;
  readonly logId: Uint8Array;
  readonly verifierKey: string;
  /** The text of the genesis document. */
  readonly genesis: string;
  readonly chainId: string;
  /** A hint: where the contracts are, and the block in which each was deployed. */
  readonly contracts: readonly {
    readonly name: string;
    readonly address: Uint8Array;
    readonly block: number;
  }[];
};

/** An anchor as the service lists it. */
export type ListedAnchor = {
  readonly size: number;
  readonly root: Uint8Array;
  readonly block: number;
  readonly blockHash: Uint8Array;
  /** As it was spelt: `2026-11-24T08:00:00.000Z`. */
  readonly blockTime: string;
  readonly transaction: Uint8Array;
  readonly checkpoint: string;
  readonly evidence: Evidence | null;
};

export type AnchorPage = { readonly items: readonly ListedAnchor[]; readonly hasMore: boolean };

/** Where a log is read from. Every function rejects with `CouldNotCheck` when there is no answer in its form. */
export type Source = {
  /** For messages: the URL without its query. */
  readonly where: string;
  about(): Promise<About>;
  /** The newest checkpoint, as a text that may be a signed note. */
  checkpoint(): Promise<string>;
  /** An entry bundle of at least that width, which C2SP allows where the log has grown. */
  bundle(index: number, width: number): Promise<Uint8Array>;
  /** The same of a tile; undefined where the service says that there is none. */
  tile(tile: Tile): Promise<Uint8Array | undefined>;
  /** Anchors of more than `after` entries, smallest first. */
  anchors(after: number): Promise<AnchorPage>;
};

export type SourceOptions = {
  /** For a whole answer. */
  readonly timeoutMs?: number;
  /** How often an outage is met before it is believed. */
  readonly attempts?: number;
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  readonly sleep?: (ms: number) => Promise<unknown>;
};

/** How long an answer may be. A full bundle of the longest entries that C2SP has is never ours: those have 74 bytes. */
const maxBytes = { bundle: 1 << 18, tile: 1 << 14, checkpoint: 1 << 16, about: 1 << 20, anchors: 16 << 20 };

const firstPauseMs = 500;
const longestPauseMs = 30_000;

/** A log at the base URL of its service. */
export function httpSource(url: string, options: SourceOptions = {}): Source {
  const requests = new Requests(url, options);
  const file = async (what: 'bundle' | 'tile', name: (width: number) => string, width: number) => {
    const answer = await requests.ask(`/log/${name(width)}`, what, isBinary);
    // Partial files may go once there is a full one (C2SP tlog-tiles).
    if (answer !== undefined || width === tileWidth) return answer;
    return requests.ask(`/log/${name(tileWidth)}`, what, isBinary);
  };
  return {
    where: requests.where,
    about: () => requests.json('/v1/log', 'about', readAbout),
    async checkpoint() {
      const bytes = await requests.must('/log/checkpoint', 'checkpoint', isText);
      return requests.read('/log/checkpoint', () => parseUtf8(bytes));
    },
    async bundle(index, width) {
      const bytes = await file('bundle', w => bundlePath(index, w), width);
      if (bytes === undefined)
        throw requests.fault(`/log/${bundlePath(index, width)}`, 'it is not there (404)');
      return bytes;
    },
    tile: tile => file('tile', width => tilePath({ ...tile, width }), tile.width),
    anchors: after => requests.json(`/v1/anchors?cursor=${after}`, 'anchors', readAnchors),
  };
}

type Kind = keyof typeof maxBytes;

class Requests {
  readonly where: string;
  readonly #timeoutMs: number;
  readonly #attempts: number;
  readonly #fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly #sleep: (ms: number) => Promise<unknown>;

  constructor(url: string, options: SourceOptions) {
    this.where = url.replace(/[?#].*$/s, '').replace(/\/+$/, '');
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#attempts = options.attempts ?? 4;
    this.#fetch = options.fetch ?? fetch;
    this.#sleep = options.sleep ?? (ms => sleepFor(ms));
  }

  /** The body; undefined for 404. Outages are met several times before they are told. */
  async ask(path: string, kind: Kind, isForm: (type: string) => boolean): Promise<Uint8Array | undefined> {
    for (let attempt = 1, pauseMs = firstPauseMs; ; attempt++, pauseMs *= 2) {
      const answer = await this.#askOnce(path, kind, isForm);
      if (!('why' in answer)) return answer.body;
      if (!answer.mayPass || attempt >= this.#attempts) throw this.fault(path, answer.why, answer.cause);
      await this.#sleep(Math.min(Math.max(pauseMs, answer.retryAfterMs), longestPauseMs));
    }
  }

  async must(path: string, kind: Kind, isForm: (type: string) => boolean): Promise<Uint8Array> {
    const body = await this.ask(path, kind, isForm);
    if (body === undefined) throw this.fault(path, 'it is not there (404)');
    return body;
  }

  async json<T>(path: string, kind: Kind, read: (value: Json) => T): Promise<T> {
    const body = await this.must(path, kind, type => type === 'application/json');
    return this.read(path, () => read(parseJson(body)));
  }

  /** What is not in its form is no answer. */
  read<T>(path: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      const [issue] = error.issues;
      throw this.fault(path, `it is not in its form: ${issue?.place ?? ''} ${issue?.message ?? ''}`, error);
    }
  }

  fault(path: string, why: string, cause?: unknown): CouldNotCheck {
    return new CouldNotCheck({ what: path, where: this.where, why }, cause);
  }

  async #askOnce(path: string, kind: Kind, isForm: (type: string) => boolean): Promise<Answer> {
    let response: Response;
    let body: Uint8Array | undefined;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), this.#timeoutMs);
    try {
      response = await this.#fetch(this.where + path, { redirect: 'error', signal: late.signal });
      body = response.ok ? await readBody(response, maxBytes[kind]) : undefined;
      if (!response.ok) await response.body?.cancel();
    } catch (cause) {
      const why = late.signal.aborted ? `no whole answer in ${this.#timeoutMs} ms` : 'there is no answer';
      return { why, mayPass: true, retryAfterMs: 0, cause };
    } finally {
      // AbortSignal.timeout would hold on to every answer until its time is over.
      clearTimeout(timer);
    }
    if (response.status === 404) return { body: undefined };
    const retryAfterMs = retryAfter(response.headers.get('retry-after'));
    if (!response.ok) {
      const mayPass = response.status === 408 || response.status === 429 || response.status >= 500;
      return { why: `it was answered with HTTP status ${response.status}`, mayPass, retryAfterMs };
    }
    if (body === undefined)
      return { why: `the answer has more than ${maxBytes[kind]} bytes`, mayPass: false, retryAfterMs };
    const [type = ''] = (response.headers.get('content-type') ?? '').toLowerCase().split(';');
    // A page of some proxy that is in the way may be gone in a moment.
    if (!isForm(type.trim())) return { why: `the answer is of type "${type}"`, mayPass: true, retryAfterMs };
    return { body };
  }
}

type Answer =
  | { readonly body: Uint8Array | undefined }
  | {
      readonly why: string;
      /** Whether the same question may be answered in a moment. */
      readonly mayPass: boolean;
      readonly retryAfterMs: number;
      readonly cause?: unknown;
    };

/** Whoever hosts static files names binary ones in many ways, but never as a page or a text. */
function isBinary(type: string): boolean {
  return !/^text\/|json$|xml$/.test(type);
}

function isText(type: string): boolean {
  return type === 'text/plain' || type === 'application/octet-stream' || type === '';
}

/** Undefined where there is more than is allowed. */
async function readBody(response: Response, max: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the rest of the body.
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > max) return undefined;
    chunks.push(chunk);
  }
  return concatBytes(...chunks);
}

/** The seconds of a `Retry-After`; a date is passed over, since clocks differ. */
function retryAfter(text: string | null): number {
  return /^[0-9]{1,6}$/.test(text ?? '') ? Number(text) * 1000 : 0;
}

/** Members beside those that an auditor reads are the service's business (DESIGN 4). */
function readOpen(reader: JsonReader, value: Json | undefined, place: string, required: readonly string[]) {
  return reader.object(value, place, required, value instanceof Map ? [...value.keys()] : []);
}

function readAbout(value: Json): About {
  const reader = new JsonReader();
  const names = ['origin', 'logId', 'verifierKey', 'genesis', 'chainId', 'contracts'];
  const members = readOpen(reader, value, '', names);
  const text = (name: string) => reader.string(members.get(name), name);
  return reader.finish({
    origin: text('origin'),
    logId: reader.hex(members.get('logId'), 'logId', 32),
    verifierKey: text('verifierKey'),
    genesis: text('genesis'),
    chainId: text('chainId'),
    contracts: reader.array(members.get('contracts'), 'contracts').map((item, i) => {
      const place = `contracts[${i}]`;
      const contract = readOpen(reader, item, place, ['name', 'address', 'block']);
      return {
        name: reader.string(contract.get('name'), `${place}.name`),
        address: reader.hex(contract.get('address'), `${place}.address`, 20),
        block: reader.integer(contract.get('block'), `${place}.block`),
      };
    }),
  });
}

function readAnchors(value: Json): AnchorPage {
  const reader = new JsonReader();
  const members = readOpen(reader, value, '', ['items', 'next']);
  const items = reader
    .array(members.get('items'), 'items')
    .map((item, i) => readAnchor(reader, item, `items[${i}]`));
  const next = members.get('next');
  if (next !== null) reader.string(next, 'next');
  return reader.finish({ items, hasMore: next !== null });
}

function readAnchor(reader: JsonReader, value: Json, place: string): ListedAnchor {
  const names = ['size', 'root', 'block', 'blockHash', 'blockTime', 'transaction', 'checkpoint', 'evidence'];
  const members = readOpen(reader, value, place, names);
  const evidence = members.get('evidence');
  return {
    size: reader.integer(members.get('size'), `${place}.size`),
    root: reader.bytes(members.get('root'), `${place}.root`, 32),
    block: reader.integer(members.get('block'), `${place}.block`),
    blockHash: reader.hex(members.get('blockHash'), `${place}.blockHash`, 32),
    blockTime: readTime(reader, members.get('blockTime'), `${place}.blockTime`),
    transaction: reader.hex(members.get('transaction'), `${place}.transaction`, 32),
    checkpoint: reader.string(members.get('checkpoint'), `${place}.checkpoint`),
    evidence: evidence === null ? null : readEvidence(reader, evidence, `${place}.evidence`),
  };
}

/** A time in the one spelling that we print. */
function readTime(reader: JsonReader, value: Json | undefined, place: string): string {
  const text = reader.string(value, place);
  const ms = Date.parse(text);
  if (value !== undefined && !(ms >= 0 && formatTime(ms) === text))
    reader.fail(place, `"${abbreviate(text)}" is no time such as 2026-11-24T08:00:00.000Z`);
  return text;
}

/** A listed anchor as proof of what was served, evidence left out. */
export function describeListed({ evidence, root, blockHash, transaction, ...rest }: ListedAnchor): string {
  return JSON.stringify({
    ...rest,
    root: formatBase64url(root),
    blockHash: Buffer.from(blockHash).toString('hex'),
    transaction: Buffer.from(transaction).toString('hex'),
    evidence: evidence === null ? null : 'left out',
  });
}
