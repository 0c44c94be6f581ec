/** Holds the registry's head against our own tree: what would keep an anchor out, and whether the log has been forked. */

import { equalBytes, formatHex, formatHex0x } from '../merkle/bytes.ts';
import type { LogHead } from './abi.ts';
import { AnchorFault } from './anchor-faults.ts';
import type { ChainBlock, FinalBlock } from './chain.ts';
import type { Ledger } from './ledger.ts';
import type { Registry } from './registry.ts';
import { ChainWrong } from './rpc.ts';

export class HeadJudge {
  readonly #ledger: Pick<Ledger, 'logId' | 'read' | 'signed' | 'freeze'>;
  readonly #registry: Registry;
  readonly #anchorer: Uint8Array;
  /** The last head that was found to be a root of ours. */
  #ours: Pick<LogHead, 'size' | 'root'> | undefined;

  /** @param parts.anchorer the address of our anchor key */
  constructor(parts: {
    readonly ledger: Pick<Ledger, 'logId' | 'read' | 'signed' | 'freeze'>;
    readonly registry: Registry;
    readonly anchorer: Uint8Array;
  }) {
    this.#ledger = parts.ledger;
    this.#registry = parts.registry;
    this.#anchorer = parts.anchorer;
  }

  /**
   * Returns when our next anchor may go in.
   * @param finalSize the size of our last final anchor
   * @throws {AnchorFault} otherwise; {ChainWrong} when the head is not what the state holds
   */
  async judge(head: LogHead, finalSize: number, latest: ChainBlock, final: FinalBlock): Promise<void> {
    if (head.size === 0) throw new AnchorFault('LOG_NOT_OPEN', 'the log is not open in the registry');
    if (!(await this.#isOurs(head))) throw await this.#suspect(head, latest, final);
    if (head.size < finalSize) {
      const why = `the registry's head is at size ${head.size}, our last final anchor at ${finalSize}`;
      throw new AnchorFault('REGISTRY_BEHIND', `${why}: the chain was set back`);
    }
    if (head.closed) throw await this.#closed(final);
    if (head.paused) throw new AnchorFault('LOG_PAUSED', 'the log is paused in the registry');
    if (!equalBytes(head.anchorer, this.#anchorer)) {
      const [met, ours] = [formatHex0x(head.anchorer), formatHex0x(this.#anchorer)];
      throw new AnchorFault('ANCHORER_OTHER', `the log's anchorer is ${met}, the anchor key is of ${ours}`);
    }
  }

  /** Stops the log: a final block holds a root that is not of our tree. It cannot be undone, so nothing more may be promised. */
  forked(size: number, root: Uint8Array): AnchorFault {
    const signed = this.#ledger.signed();
    const isBehind = size > signed.size;
    const why = isBehind
      ? `the registry holds size ${size}, this log has ${signed.size}: it was restored from an older copy, or the anchor key was used elsewhere`
      : `the registry holds the root ${formatHex(root)} for size ${size}, which is not this log's`;
    this.#ledger.freeze('LOG_FORKED', why);
    return new AnchorFault(isBehind ? 'LEDGER_BEHIND' : 'LOG_FORKED', why);
  }

  /** Submissions end once a final block's state holds that the log is closed: what still came in would never be anchored. */
  async #closed(final: FinalBlock): Promise<AnchorFault> {
    const why = 'the log is closed in the registry, for ever';
    if (await this.#registry.isClosed(this.#ledger.logId, final)) this.#ledger.freeze('LOG_CLOSED', why);
    return new AnchorFault('LOG_CLOSED', why);
  }

  async #isOurs({ size, root }: Pick<LogHead, 'size' | 'root'>): Promise<boolean> {
    if (size === this.#ours?.size && equalBytes(root, this.#ours.root)) return true;
    if (size > this.#ledger.signed().size) return false;
    if (!equalBytes(await this.#ledger.read.rootAt(size), root)) return false;
    this.#ours = { size, root };
    return true;
  }

  /** A node's word about a head stops nothing: only what the state of a final block holds does. */
  async #suspect({ size }: LogHead, latest: ChainBlock, final: FinalBlock): Promise<Error> {
    const { logId } = this.#ledger;
    const settled = await this.#registry.root(logId, size, final);
    const { root } = settled.root ? settled : await this.#registry.root(logId, size, latest);
    if (root === undefined || (await this.#isOurs({ size, root }))) {
      this.#registry.rpc.distrust();
      return new ChainWrong('proof', `the node tells of a head at size ${size} that the state does not hold`);
    }
    if (settled.root) return this.forked(size, root);
    return new AnchorFault(
      'LOG_FORKED',
      `a block that is not final yet holds a root of size ${size} that is not ours`,
    );
  }
}
