/** The trust file (DESIGN 3.6): the chains, registries and log keys that a verifier pins, and the only thing that it believes. */

import { sha256 } from '@noble/hashes/sha2.js';
import { abbreviate, formatHex, formatHex0x, utf8 } from './bytes.ts';
import { formatTime } from './entry.ts';
import { FormatError } from './errors.ts';
import { parseAgency, parseChainId, parseOrigin } from './genesis.ts';
import { type Json, JsonNumber, type JsonObject, JsonReader, parseJson } from './json.ts';
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from './note.ts';
import type { ChainRules, ValidatorSet } from './seals.ts';

export type Trust = {
  /** Raised by every change. */
  readonly sequence: number;
  /** A UTC time in whole seconds, `2026-11-24T08:00:00Z`. */
  readonly issued: string;
  readonly chains: readonly TrustedChain[];
  readonly logs: readonly TrustedLog[];
  /** Display names by agency. They prove nothing: the identifier is what is proved. */
  readonly agencies: ReadonlyMap<string, string>;
};

export type TrustedChain = ChainRules & {
  /** A uint256 in decimal. No header names its chain: it counts through the log id. */
  readonly chainId: string;
  /** 32 bytes, for those who ask a node: no receipt leads to it. */
  readonly genesisHash: Uint8Array;
};

export type TrustedLog = {
  readonly origin: string;
  /** One of the trust file's chains. */
  readonly chain: TrustedChain;
  readonly anchorRegistry: Registry & { readonly rootsSlot: number };
  readonly keyRegistry: Registry & { readonly keysSlot: number };
  /** At least one, each under the log's origin as its name. */
  readonly verifierKeys: readonly LogKey[];
  /** The largest size that was ever anchored, once the log is closed. */
  readonly closedAt?: number;
};

export type LogKey = {
  readonly key: VerifierKey;
  /** The largest size that a rotated or stolen key signs for. */
  readonly untilSize?: number;
};

/** A contract: 20 bytes where it is, 32 bytes of Keccak-256 over its code. */
export type Registry = { readonly address: Uint8Array; readonly codeHash: Uint8Array };

/** Reads a trust file. @throws {FormatError} naming every fault with its place */
export function parseTrust(bytes: Uint8Array): Trust {
  const reader = new JsonReader();
  const members = reader.object(parseJson(bytes), '', [
    'version',
    'sequence',
    'issued',
    'chains',
    'logs',
    'agencies',
  ]);
  const version = members.get('version');
  if (version !== undefined && !(version instanceof JsonNumber && version.text === '1')) {
    reader.fail('version', 'want 1');
  }
  const chains = reader
    .array(members.get('chains'), 'chains')
    .map((value, i) => readChain(reader, value, `chains[${i}]`));
  refuseRepeated(
    reader,
    'chains',
    'chain',
    chains.map(({ chainId }) => chainId),
  );
  const logs = reader
    .array(members.get('logs'), 'logs')
    .map((value, i) => readLog(reader, value, `logs[${i}]`, chains));
  refuseRepeated(
    reader,
    'logs',
    'log',
    logs.map(({ origin }) => origin),
  );
  return reader.finish({
    sequence: reader.integer(members.get('sequence'), 'sequence'),
    issued: readText(reader, members.get('issued'), 'issued', parseTime),
    chains,
    logs,
    agencies: readAgencies(reader, members.get('agencies'), 'agencies'),
  });
}

function readChain(reader: JsonReader, value: Json, place: string): TrustedChain {
  const members = reader.object(value, place, ['chainId', 'genesisHash', 'consensus', 'validators']);
  const consensus = reader.word(members.get('consensus'), `${place}.consensus`, ['qbft', 'clique', 'none']);
  const validators = reader
    .array(members.get('validators'), `${place}.validators`)
    .map((set, i) => readValidators(reader, set, `${place}.validators[${i}]`));
  validators.forEach(({ fromBlock }, i) => {
    const before = validators[i - 1]?.fromBlock ?? -1;
    if (fromBlock <= before) {
      reader.fail(`${place}.validators[${i}].fromBlock`, `${fromBlock} does not come after ${before}`);
    }
  });
  if (consensus !== undefined && Array.isArray(members.get('validators'))) {
    if (consensus === 'none' && validators.length > 0) {
      reader.fail(`${place}.validators`, 'want none: nobody seals on a chain of consensus none');
    }
    if (consensus !== 'none' && validators.length === 0) {
      reader.fail(`${place}.validators`, `want at least one set on a chain of consensus ${consensus}`);
    }
  }
  return {
    chainId: readText(reader, members.get('chainId'), `${place}.chainId`, parseChainId),
    genesisHash: reader.hex(members.get('genesisHash'), `${place}.genesisHash`, 32),
    consensus: consensus ?? 'none',
    validators,
  };
}

function readValidators(reader: JsonReader, value: Json, place: string): ValidatorSet {
  const members = reader.object(value, place, ['fromBlock', 'addresses']);
  const list = members.get('addresses');
  const addresses = reader
    .array(list, `${place}.addresses`)
    .map((address, i) => reader.hex(address, `${place}.addresses[${i}]`, 20));
  if (Array.isArray(list) && list.length === 0) reader.fail(`${place}.addresses`, 'want at least one');
  // A repeated address would lower the real quorum.
  refuseRepeated(reader, `${place}.addresses`, 'validator', addresses.map(formatHex0x));
  return { fromBlock: reader.integer(members.get('fromBlock'), `${place}.fromBlock`), addresses };
}

function readLog(
  reader: JsonReader,
  value: Json,
  place: string,
  chains: readonly TrustedChain[],
): TrustedLog {
  const members = reader.object(
    value,
    place,
    ['origin', 'chainId', 'anchorRegistry', 'keyRegistry', 'verifierKeys'],
    ['closedAt'],
  );
  const origin = readText(reader, members.get('origin'), `${place}.origin`, parseOrigin);
  const chainId = reader.string(members.get('chainId'), `${place}.chainId`);
  const chain = chains.find(chain => chain.chainId === chainId);
  if (chain === undefined && typeof members.get('chainId') === 'string') {
    reader.fail(`${place}.chainId`, `chain ${abbreviate(chainId)} is not in the trust file`);
  }
  return {
    origin,
    chain: chain ?? noChain,
    ...registries(reader, members, place),
    verifierKeys: readLogKeys(reader, members.get('verifierKeys'), `${place}.verifierKeys`, origin),
    ...optionalSize(reader, members, 'closedAt', place),
  };
}

/** Stands in for a chain that is not there; the fault is named, so that it never gets out. */
const noChain: TrustedChain = {
  chainId: '',
  genesisHash: new Uint8Array(32),
  consensus: 'none',
  validators: [],
};

function registries(reader: JsonReader, members: JsonObject, place: string) {
  const registry = (name: string, slotName: string) => {
    const inner = `${place}.${name}`;
    const contract = reader.object(members.get(name), inner, ['address', 'codeHash', slotName]);
    return {
      address: reader.hex(contract.get('address'), `${inner}.address`, 20),
      codeHash: reader.hex(contract.get('codeHash'), `${inner}.codeHash`, 32),
      slot: reader.integer(contract.get(slotName), `${inner}.${slotName}`),
    };
  };
  const { slot: rootsSlot, ...anchorRegistry } = registry('anchorRegistry', 'rootsSlot');
  const { slot: keysSlot, ...keyRegistry } = registry('keyRegistry', 'keysSlot');
  return { anchorRegistry: { ...anchorRegistry, rootsSlot }, keyRegistry: { ...keyRegistry, keysSlot } };
}

function readLogKeys(reader: JsonReader, value: Json | undefined, place: string, origin: string): LogKey[] {
  const keys: LogKey[] = [];
  for (const [i, item] of reader.array(value, place).entries()) {
    const members = reader.object(item, `${place}[${i}]`, ['key'], ['untilSize']);
    const text = reader.string(members.get('key'), `${place}[${i}].key`);
    const size = optionalSize(reader, members, 'untilSize', `${place}[${i}]`);
    if (typeof members.get('key') !== 'string') continue;
    const key = reader.parse(`${place}[${i}].key`, () => parseVerifierKey(text), undefined);
    if (key === undefined) continue;
    // The name is part of what a key signs under, and a log signs under its origin (C2SP tlog-checkpoint).
    if (key.name !== origin)
      reader.fail(`${place}[${i}].key`, `is named ${abbreviate(key.name)}, want ${abbreviate(origin)}`);
    keys.push({ key, ...size });
  }
  if (Array.isArray(value) && value.length === 0) reader.fail(place, 'want at least one key');
  // By key id, since a note's lines tell keys of one name apart by nothing else.
  refuseRepeated(
    reader,
    place,
    'key id',
    keys.map(({ key }) => formatHex(key.keyId)),
  );
  return keys;
}

function optionalSize<Name extends string>(
  reader: JsonReader,
  members: JsonObject,
  name: Name,
  place: string,
): { readonly [name in Name]?: number } {
  if (!members.has(name)) return {};
  // A computed name widens the type to any string; it is this one.
  return { [name]: reader.integer(members.get(name), `${place}.${name}`) } as { [name in Name]: number };
}

function readAgencies(
  reader: JsonReader,
  value: Json | undefined,
  place: string,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  if (value === undefined) return names;
  if (!(value instanceof Map)) {
    reader.fail(place, 'want an object with a name for each agency');
    return names;
  }
  for (const [agency, text] of value) {
    const inner = `${place}.${abbreviate(agency)}`;
    reader.parse(inner, () => parseAgency(agency), '');
    const name = reader.string(text, inner);
    // A name is printed beside what is proved: it must not move the cursor or begin a line.
    if (/\p{Cc}/u.test(name)) reader.fail(inner, `control character in "${abbreviate(name)}"`);
    names.set(agency, name);
  }
  return names;
}

/** A string that a parser of ours accepts. */
function readText(
  reader: JsonReader,
  value: Json | undefined,
  place: string,
  parse: (text: string) => string,
): string {
  const text = reader.string(value, place);
  return typeof value === 'string' ? reader.parse(place, () => parse(text), text) : '';
}

function parseTime(text: string): string {
  // Printing again catches 30 February, which Date takes for 2 March, and every other spelling.
  const ms = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms) || formatTime(ms) !== text.replace(/Z$/, '.000Z')) {
    throw FormatError.at('', `"${abbreviate(text)}" is not a time such as 2026-11-24T08:00:00Z`);
  }
  return text;
}

/** Nothing stands twice: of two that disagree, each reader could believe another one. */
function refuseRepeated(reader: JsonReader, place: string, what: string, names: readonly string[]): void {
  names.forEach((name, i) => {
    if (names.indexOf(name) < i) reader.fail(`${place}[${i}]`, `${what} ${abbreviate(name)} stands twice`);
  });
}

/** Prints a trust file for people to read. @throws {FormatError} if what was put together breaks a rule of the file */
export function formatTrust(trust: Trust): string {
  const text = `${JSON.stringify(
    {
      version: 1,
      sequence: trust.sequence,
      issued: trust.issued,
      chains: trust.chains.map(formatChain),
      logs: trust.logs.map(formatLog),
      agencies: Object.fromEntries(trust.agencies),
    },
    undefined,
    2,
  )}\n`;
  parseTrust(utf8(text));
  return text;
}

function formatChain({ chainId, genesisHash, consensus, validators }: TrustedChain) {
  return {
    chainId,
    genesisHash: formatHex0x(genesisHash),
    consensus,
    validators: validators.map(({ fromBlock, addresses }) => ({
      fromBlock,
      addresses: addresses.map(formatHex0x),
    })),
  };
}

function formatLog({ origin, chain, anchorRegistry, keyRegistry, verifierKeys, closedAt }: TrustedLog) {
  return {
    origin,
    chainId: chain.chainId,
    anchorRegistry: { ...formatRegistry(anchorRegistry), rootsSlot: anchorRegistry.rootsSlot },
    keyRegistry: { ...formatRegistry(keyRegistry), keysSlot: keyRegistry.keysSlot },
    // JSON.stringify leaves out what is undefined.
    verifierKeys: verifierKeys.map(({ key, untilSize }) => ({ key: formatVerifierKey(key), untilSize })),
    closedAt,
  };
}

function formatRegistry({ address, codeHash }: Registry) {
  return { address: formatHex0x(address), codeHash: formatHex0x(codeHash) };
}

/** A trust file's SHA-256 in hexadecimal, which its operator publishes by another road and every verifier prints. */
export function fingerprint(bytes: Uint8Array): string {
  return formatHex(sha256(bytes));
}
