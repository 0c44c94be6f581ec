/** The registries' calls and events in the encoding of Solidity (contracts/I*.sol), as far as the service uses them. */

import { getAddress, hexlify, Interface, type LogDescription } from 'ethers';
import { formatHex0x, parseHex0x } from '../merkle/bytes.ts';
import { FormatError } from '../merkle/errors.ts';
import { parseAgency } from '../merkle/genesis.ts';

const anchorRegistry = new Interface([
  'function anchor(bytes32 logId, uint64 oldSize, uint64 newSize, bytes32 newRoot, bytes32[] proof)',
  'function head(bytes32 logId) view returns (uint64 size, bytes32 root, address anchorer, bool paused, bool closed)',
  'event LogOpened(bytes32 indexed logId, string origin, bytes32 genesisLeaf)',
  'event Anchored(bytes32 indexed logId, uint64 indexed size, bytes32 root, uint64 oldSize)',
  'error AnchorRegistryLogNotOpen(bytes32 logId)',
  'error AnchorRegistryLogClosed(bytes32 logId)',
  'error AnchorRegistryLogPaused(bytes32 logId)',
  'error AnchorRegistryNotAnchorer(bytes32 logId, address caller, address anchorer)',
  'error AnchorRegistryRootZero(bytes32 logId, uint64 size)',
  'error AnchorRegistryFork(bytes32 logId, uint64 size, bytes32 root, bytes32 anchoredRoot)',
  'error AnchorRegistryOldSizeNotLast(bytes32 logId, uint64 oldSize, uint64 lastSize)',
  'error AnchorRegistrySizeNotGrowing(bytes32 logId, uint64 size, uint64 lastSize)',
  'error AnchorRegistrySizeTooLarge(bytes32 logId, uint64 size, uint64 maxSize)',
  'error AnchorRegistryNotConsistent(bytes32 logId, uint64 size, bytes32 root, uint64 lastSize, bytes32 lastRoot)',
]);

const keyRegistry = new Interface([
  'event AgencyRegistered(bytes21 indexed agency, string name, address controller)',
  'event AgencyRenamed(bytes21 indexed agency, string name)',
  'event ControllerSet(bytes21 indexed agency, address controller)',
  'event KeyAdded(bytes21 indexed agency, bytes32 indexed keyId, uint8 algorithm, bytes jwk, uint40 validFrom, uint40 validUntil, bytes proof)',
  'event KeyRetired(bytes21 indexed agency, bytes32 indexed keyId, uint40 validUntil, uint8 reason, uint40 suspectSince)',
]);

/** One `anchor` call. */
export type AnchorCall = {
  readonly logId: Uint8Array;
  readonly oldSize: number;
  readonly newSize: number;
  readonly newRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
};

/** A log's last anchor and state, as `head` gives it. Size 0 where no log was opened. */
export type LogHead = {
  readonly size: number;
  readonly root: Uint8Array;
  readonly anchorer: Uint8Array;
  readonly paused: boolean;
  readonly closed: boolean;
};

export type KeyAdded = {
  readonly kind: 'added';
  readonly agency: string;
  readonly keyId: Uint8Array;
  readonly algorithm: number;
  readonly jwk: Uint8Array;
  /** Seconds, as is `validUntil`. */
  readonly validFrom: number;
  readonly validUntil: number;
  readonly proof: Uint8Array;
};

/** What the key registry has said about agencies and keys. Of others, such as retirements, the key's slot tells all. */
export type KeyEvent =
  | KeyAdded
  | { readonly kind: 'other' }
  | {
      readonly kind: 'registered';
      readonly agency: string;
      readonly name: string;
      readonly controller: string;
    }
  | { readonly kind: 'renamed'; readonly agency: string; readonly name: string }
  | { readonly kind: 'controlled'; readonly agency: string; readonly controller: string };

/** An event as a node reports it. */
export type RawEvent = { readonly topics: readonly Uint8Array[]; readonly data: Uint8Array };

/** The slot of AnchorRegistry's mapping from log ids to logs: the pinned code hash fixes it. */
export const logsSlot = 2;

/** Whether a log's slot says that it is closed: `struct Log` from its low end is anchorer(20), size(8), paused(1), closed(1). */
export function isClosed(word: Uint8Array): boolean {
  return word[32 - 30] === 1;
}

export function encodeAnchor({ logId, oldSize, newSize, newRoot, proof }: AnchorCall): string {
  return anchorRegistry.encodeFunctionData('anchor', [logId, oldSize, newSize, newRoot, [...proof]]);
}

export function encodeHead(logId: Uint8Array): string {
  return anchorRegistry.encodeFunctionData('head', [logId]);
}

/** @throws {FormatError} on bytes that `head` does not give */
export function decodeHead(data: Uint8Array): LogHead {
  const [size, root, anchorer, paused, closed] = decoding(() =>
    anchorRegistry.decodeFunctionResult('head', data),
  );
  return {
    size: safe(size),
    root: parseHex0x(root, 32),
    anchorer: bytesOf(anchorer),
    paused: paused === true,
    closed: closed === true,
  };
}

/** The topics that find the event which made an anchor; opening is the anchor of size 1. */
export function anchorTopics(logId: Uint8Array, size: number): string[] {
  const topics =
    size === 1
      ? anchorRegistry.encodeFilterTopics('LogOpened', [logId])
      : anchorRegistry.encodeFilterTopics('Anchored', [logId, size]);
  // A filter by exact values gives one topic at each place.
  return topics.map(topic => String(topic));
}

/** The root in an event that `anchorTopics` found. @throws {FormatError} on another event */
export function decodeAnchoredRoot(event: RawEvent): Uint8Array {
  const { name, args } = decodeLog(anchorRegistry, event) ?? {};
  if (name !== 'LogOpened' && name !== 'Anchored') throw FormatError.at('', 'the event is no anchor');
  return parseHex0x(name === 'LogOpened' ? args?.genesisLeaf : args?.root, 32);
}

/** Reads an event of the key registry. @throws {FormatError} on a malformed one */
export function decodeKeyEvent(event: RawEvent): KeyEvent {
  const { name, args } = decodeLog(keyRegistry, event) ?? {};
  if (name === undefined || args === undefined || name === 'KeyRetired') return { kind: 'other' };
  const agency = agencyOf(args.agency);
  if (name === 'AgencyRenamed') return { kind: 'renamed', agency, name: args.name };
  if (name === 'ControllerSet') return { kind: 'controlled', agency, controller: addressOf(args.controller) };
  if (name === 'AgencyRegistered') {
    return { kind: 'registered', agency, name: args.name, controller: addressOf(args.controller) };
  }
  return {
    kind: 'added',
    agency,
    keyId: bytesOf(args.keyId),
    algorithm: safe(args.algorithm),
    jwk: bytesOf(args.jwk),
    validFrom: safe(args.validFrom),
    validUntil: safe(args.validUntil),
    proof: bytesOf(args.proof),
  };
}

/** A revert's custom error by name, for a message; undefined for anything else. */
export function revertName(data: string): string | undefined {
  try {
    return anchorRegistry.parseError(data)?.name;
  } catch {
    return undefined;
  }
}

/** An agency as the registry keeps it: its characters, then zeros up to 21 bytes. */
export function encodeAgency(agency: string): string {
  return hexlify(Buffer.concat([Buffer.from(agency, 'ascii')], 21));
}

function decodeLog(contract: Interface, { topics, data }: RawEvent): LogDescription | undefined {
  return decoding(
    () => contract.parseLog({ topics: topics.map(formatHex0x), data: formatHex0x(data) }) ?? undefined,
  );
}

/** ethers throws errors of its own for bytes that are not in the form, some of them only when a value is looked at. */
function decoding<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw FormatError.at('', 'is not in the form of its declaration in Solidity');
  }
}

function safe(value: unknown): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw FormatError.at('', `${value} is beyond 2^53 - 1`);
  return number;
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.slice(2), 'hex'));
}

function addressOf(address: string): string {
  return getAddress(address).toLowerCase();
}

function agencyOf(bytes21: string): string {
  return parseAgency(Buffer.from(bytes21.slice(2), 'hex').toString('latin1').replace(/\0+$/, ''));
}
