/**
 * What the contracts' events say, taken from the auditor's own replay: they are complete, in their order, and ours. At the end every
 * one of them is held against the storage that it speaks of.
 */

import { Interface, type LogDescription } from 'ethers';
import { concatBytes, equalBytes, formatHex0x, parseHex0x } from '../../merkle/bytes.ts';
import { keySlot, mappingSlot, rootSlot, wordOf } from '../../merkle/evidence.ts';
import type { ChainAnchor, ChainKey } from './chain-view.ts';
import type { Artifacts } from './contracts.ts';
import type { ChainEvent } from './transactions.ts';

/** Where an event stands on the real chain. */
export type EventPlace = {
  readonly block: number;
  /** Seconds since 1970. */
  readonly blockTime: number;
  readonly transaction: Uint8Array;
  readonly gasUsed: number;
};

/** A storage slot and the word that the events leave there. */
export type ExpectedSlot = {
  readonly contract: 'AnchorRegistry' | 'KeyRegistry';
  readonly name: string;
  readonly slot: Uint8Array;
  readonly word: Uint8Array;
};

const nobody = `0x${'00'.repeat(20)}`;

/** The slots of the mappings that no evidence needs (contracts/*.sol): the code's hash fixes them. */
const logsSlot = 2;
const agenciesSlot = 2;

export class RegistryEvents {
  readonly anchors: ChainAnchor[] = [];
  readonly keys = new Map<string, ChainKey>();
  /** Names and controllers by agency. */
  readonly agencies = new Map<string, { readonly name: string; readonly controller: string }>();
  /** The contracts that have governed the registries, in lower-case hexadecimal. */
  readonly authorities = new Set<string>();
  anchorer = nobody;
  paused = false;
  closed = false;
  /** The first event that is not in the form of its declaration. Our code emits none such. */
  unreadable: EventPlace | undefined;

  readonly #contracts: ReadonlyMap<string, Interface>;
  readonly #anchorRegistry: string;
  readonly #logId: Uint8Array;

  constructor(parts: {
    readonly artifacts: Artifacts;
    readonly anchorRegistry: Uint8Array;
    readonly keyRegistry: Uint8Array;
    readonly logId: Uint8Array;
  }) {
    this.#anchorRegistry = formatHex0x(parts.anchorRegistry);
    this.#contracts = new Map([
      [this.#anchorRegistry, new Interface(parts.artifacts.AnchorRegistry.abi)],
      [formatHex0x(parts.keyRegistry), new Interface(parts.artifacts.KeyRegistry.abi)],
    ]);
    this.#logId = parts.logId;
  }

  /** Takes in an event of the replay. Those of other contracts and other logs change nothing here. */
  apply(event: ChainEvent, place: EventPlace): void {
    try {
      this.#apply(event, place);
    } catch {
      // ethers throws errors of its own, some of them only when a value is looked at.
      this.unreadable ??= place;
    }
  }

  #apply(event: ChainEvent, place: EventPlace): void {
    const address = formatHex0x(event.address);
    const log = this.#contracts
      .get(address)
      ?.parseLog({ topics: event.topics.map(formatHex0x), data: formatHex0x(event.data) });
    if (log == null) return;
    if (log.name === 'AuthorityUpdated') this.authorities.add(lowerCase(log.args['authority']));
    else if (address === this.#anchorRegistry) this.#applyLog(log, place);
    else this.#applyKey(log, place);
  }

  #applyLog({ name, args }: LogDescription, place: EventPlace): void {
    if (args['logId'] !== formatHex0x(this.#logId)) return;
    if (name === 'LogOpened') this.#addAnchor(1, args['genesisLeaf'], place);
    if (name === 'Anchored') this.#addAnchor(Number(args['size']), args['root'], place);
    if (name === 'AnchorerSet') this.anchorer = lowerCase(args['anchorer']);
    if (name === 'PausedSet') this.paused = args['paused'];
    if (name === 'LogClosed') this.closed = true;
  }

  #addAnchor(size: number, root: string, place: EventPlace): void {
    this.anchors.push({ ...place, size, root: parseHex0x(root, 32) });
  }

  #applyKey({ name, args }: LogDescription, { block, blockTime }: EventPlace): void {
    const agency = agencyOf(args['agency']);
    const known = this.agencies.get(agency) ?? { name: '', controller: nobody };
    if (name === 'AgencyRegistered') {
      this.agencies.set(agency, { name: args['name'], controller: lowerCase(args['controller']) });
    }
    if (name === 'AgencyRenamed') this.agencies.set(agency, { ...known, name: args['name'] });
    if (name === 'ControllerSet') {
      this.agencies.set(agency, { ...known, controller: lowerCase(args['controller']) });
    }
    const validUntil = Number(args['validUntil']);
    if (name === 'KeyAdded') {
      this.keys.set(args['keyId'], {
        agency,
        algorithm: Number(args['algorithm']),
        jwk: bytesOf(args['jwk']),
        proof: Buffer.from(bytesOf(args['proof'])).toString('latin1'),
        validFrom: Number(args['validFrom']),
        validUntil,
        addedBlock: block,
        retirements: [],
      });
    }
    const key = this.keys.get(args['keyId']);
    if (name === 'KeyRetired' && key !== undefined) {
      const retirements = [...key.retirements, { block, blockTime, validUntil }];
      this.keys.set(args['keyId'], { ...key, validUntil, retirements });
    }
  }

  /** Every slot that the events speak of, with the word that they leave there. */
  *slots(at: { readonly rootsSlot: number; readonly keysSlot: number }): Generator<ExpectedSlot> {
    const last = this.anchors.at(-1);
    if (last !== undefined) {
      const flags = Uint8Array.of(0, 0, Number(this.closed), Number(this.paused));
      const size = wordOf(last.size).subarray(24);
      yield {
        contract: 'AnchorRegistry',
        name: "the log's head",
        slot: mappingSlot(this.#logId, wordOf(logsSlot)),
        word: concatBytes(flags, size, parseHex0x(this.anchorer, 20)),
      };
    }
    for (const { size, root } of this.anchors) {
      const slot = rootSlot(this.#logId, size, at.rootsSlot);
      yield { contract: 'AnchorRegistry', name: `the root of size ${size}`, slot, word: root };
    }
    for (const [id, { agency, algorithm, validFrom, validUntil }] of this.keys) {
      const times = [wordOf(validUntil), wordOf(validFrom)].map(word => word.subarray(27));
      const word = concatBytes(...times, Uint8Array.of(algorithm), paddedAgency(agency, 21));
      const slot = keySlot(parseHex0x(id, 32), at.keysSlot);
      yield { contract: 'KeyRegistry', name: `key ${id}`, slot, word };
    }
    for (const [agency, { controller }] of this.agencies) {
      const slot = mappingSlot(paddedAgency(agency, 32), wordOf(agenciesSlot));
      // A struct of a flag and an address, packed from the low end.
      const word = concatBytes(new Uint8Array(11), parseHex0x(controller, 20), Uint8Array.of(1));
      yield { contract: 'KeyRegistry', name: `agency ${agency}`, slot, word };
    }
  }
}

/** Says whether a word is the expected one. */
export function holds({ word }: ExpectedSlot, found: Uint8Array): boolean {
  return equalBytes(word, found);
}

function lowerCase(address: string): string {
  return address.toLowerCase();
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.slice(2), 'hex'));
}

/** Characters, then zeros; the contract admits no other. */
function agencyOf(bytes21: string): string {
  return Buffer.from(bytes21.slice(2), 'hex').toString('latin1').replace(/\0+$/, '');
}

function paddedAgency(agency: string, length: number): Uint8Array {
  const padded = new Uint8Array(length);
  padded.set(Buffer.from(agency, 'latin1'));
  return padded;
}
