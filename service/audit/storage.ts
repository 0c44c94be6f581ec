/**
 * Whether the real chain's contracts are what their transactions make of them: storage root and code hash of each, on the real chain
 * proved under the final header, against the replay's; the code against what this repository compiles to and what the trust file pins.
 */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { equalBytes, formatHex0x } from '../../merkle/bytes.ts';
import { type Account, accountAt } from '../../merkle/evidence.ts';
import { NodeCollector } from '../../merkle/trie.ts';
import type { ChainHeader } from './blocks.ts';
import type { Artifacts, FollowedContract } from './contracts.ts';
import type { Finding, Report } from './findings.ts';
import { type ChainNode, unanswered } from './node.ts';
import { holds, type RegistryEvents } from './registry-events.ts';
import type { Replay } from './replay.ts';
import { askProof, formatNodes, walking } from './state-proof.ts';
import { findDifference } from './storage-search.ts';

/** A contract on both chains. Hashes are 32 bytes; zeros for a contract that is not there. */
export type ComparedContract = FollowedContract &
  Account & {
    readonly replayed: Account;
  };

/** What the replay is compared with. */
export type Comparison = {
  readonly node: ChainNode;
  readonly final: ChainHeader;
  readonly replay: Replay;
  readonly events: RegistryEvents;
  readonly slots: { readonly rootsSlot: number; readonly keysSlot: number };
  readonly artifacts: Artifacts;
  /** The code hashes that the trust file pins. */
  readonly pinned: ReadonlyMap<FollowedContract['name'], Uint8Array>;
  readonly report: Report;
};

/**
 * Compares one contract, and reports each difference.
 * @throws {CouldNotCheck} when the node does not prove its state
 * @throws {Refutation} when its proof does not lead to the final header
 */
export async function compareContract(
  world: Comparison,
  contract: FollowedContract,
): Promise<ComparedContract> {
  const { final, replay, artifacts, pinned, report } = world;
  const { name, address } = contract;
  const place = { block: final.number, contract: name };
  const at = `${name} at ${formatHex0x(address)}`;
  const replayed = (await replay.account(address)) ?? nothing;
  const { account, nodes } = await proveAccount(world, contract);
  const proof = { header: formatHex0x(final.rlp), accountProof: nodes };

  const isReplayed = !equalBytes(replayed.codeHash, nothing.codeHash);
  // A node that has fallen behind has not got so far, and says nothing wrong.
  if (!isReplayed && equalBytes(account.codeHash, nothing.codeHash))
    throw unanswered(at, `there is no contract at this address in block ${final.number}`);
  if (!isReplayed) {
    report({ code: 'CONTRACT_NOT_CREATED', place, message: `no transaction creates ${at}`, proof });
    return { ...contract, ...account, replayed };
  }
  const compiled = keccak_256(bytesOf(artifacts[name].deployedBytecode));
  if (!equalBytes(replayed.codeHash, compiled)) {
    const [found, wanted] = [formatHex0x(replayed.codeHash), formatHex0x(compiled)];
    const message = `${at} was created with code ${found}, the sources compile to ${wanted}`;
    report({
      code: 'CODE_NOT_OURS',
      place,
      message,
      proof: { code: formatHex0x(await replay.code(address)) },
    });
  }
  const trusted = pinned.get(name);
  if (trusted !== undefined && !equalBytes(replayed.codeHash, trusted)) {
    const [found, wanted] = [formatHex0x(replayed.codeHash), formatHex0x(trusted)];
    const message = `${at} was created with code ${found}, the trust file pins ${wanted}`;
    report({
      code: 'CODE_NOT_TRUSTED',
      place,
      message,
      proof: { code: formatHex0x(await replay.code(address)) },
    });
  }
  if (!equalBytes(replayed.codeHash, account.codeHash)) {
    const [found, wanted] = [formatHex0x(account.codeHash), formatHex0x(replayed.codeHash)];
    report({
      code: 'CODE_CHANGED',
      place,
      message: `${at} has code ${found} in block ${final.number}, it was created with ${wanted}`,
      proof,
    });
  }
  if (!equalBytes(replayed.storageRoot, account.storageRoot)) {
    const difference = await findDifference(world, contract, account.storageRoot);
    const [found, wanted] = [formatHex0x(account.storageRoot), formatHex0x(replayed.storageRoot)];
    const roots = `${at} has storage ${found} in block ${final.number}, its transactions give ${wanted}`;
    if (difference !== undefined) {
      report({
        code: 'STORAGE_DIFFERS',
        place,
        message: `${roots}: ${difference.message}`,
        proof: { ...proof, replayedStorageRoot: wanted, ...difference.proof },
      });
    }
  }
  return { ...contract, ...account, replayed };
}

/** Holds every event of the replay against the replay's storage. */
export async function compareEvents(
  { replay, events, slots, final, report }: Comparison,
  contracts: readonly FollowedContract[],
): Promise<void> {
  const fault = (contract: string, message: string, proof: Finding['proof']) =>
    report({ code: 'EVENTS_DIFFER', place: { block: final.number, contract }, message, proof });
  if (events.unreadable !== undefined) {
    const { block, transaction } = events.unreadable;
    fault('AnchorRegistry or KeyRegistry', `an event in block ${block} is not in its declared form`, {
      transaction: formatHex0x(transaction),
    });
  }
  for (const expected of events.slots(slots)) {
    const address = contracts.find(({ name }) => name === expected.contract)?.address;
    if (address === undefined) continue;
    const found = await replay.slot(address, expected.slot);
    if (holds(expected, found)) continue;
    const [slot, word] = [formatHex0x(expected.slot), formatHex0x(expected.word)];
    const message = `the events say that ${expected.name} is ${word}, its slot holds ${formatHex0x(found)}`;
    fault(expected.contract, message, { slot, word, found: formatHex0x(found) });
  }
}

async function proveAccount(
  { node, final }: Comparison,
  contract: FollowedContract,
): Promise<{ readonly account: Account; readonly nodes: string }> {
  const { accountProof } = await askProof({ node, final }, contract, []);
  const nodes = formatNodes(accountProof);
  const account = walking(contract, final, nodes, () =>
    accountAt(new NodeCollector(accountProof), final.stateRoot, contract.address),
  );
  return { account: account ?? nothing, nodes };
}

/** An account that is not there, or has neither code nor storage. */
const nothing: Account = {
  storageRoot: keccak_256(Uint8Array.of(0x80)),
  codeHash: keccak_256(new Uint8Array(0)),
};

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.slice(2), 'hex'));
}
