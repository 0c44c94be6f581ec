/** Addresses: which party a connection belongs to, as far as the network can tell. */

/** At most so many parties are remembered; of those that do nothing now, the one seen longest ago is forgotten. */
const remembered = 10_000;

/**
 * The network that one party has to itself: an IPv4 address, or the first 64 bits of an IPv6 address, since everybody has 2^64 of
 * those. It is what the kernel says of the connection, never what a header says.
 */
export function networkOf(address: string): string {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [before = [], after = []] =
    address
      .split('%', 1)[0]
      ?.split('::')
      .map(side => (side === '' ? [] : side.split(':'))) ?? [];
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`;
}

/** What is remembered of each network. */
export class Parties<P extends { readonly isBusy: boolean }> {
  readonly #make: () => P;
  /** In the order in which they were last seen. */
  readonly #parties = new Map<string, P>();

  constructor(make: () => P) {
    this.#make = make;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#parties.size;
  }

  /** The party at an address. */
  at(address: string): P {
    const network = networkOf(address);
    const known = this.#parties.get(network);
    if (known !== undefined) {
      this.#parties.delete(network);
      this.#parties.set(network, known);
      return known;
    }
    if (this.#parties.size >= remembered) this.#forgetOne();
    const party = this.#make();
    this.#parties.set(network, party);
    return party;
  }

  /** Who has ten thousand addresses to make us forget one is not held by what an address may do, and gains nothing here. */
  #forgetOne(): void {
    for (const [network, party] of this.#parties) {
      if (party.isBusy) continue;
      this.#parties.delete(network);
      return;
    }
  }
}
