/**
 * `zegel verify`: checks receipts with a trust file and nothing else. It never opens a connection.
 *
 * It also takes the evidence of a fork, which an audit writes. The question is then whether the file proves that the log signed what no
 * append-only log can have: *yes* (exit code 0) is bad news about the log.
 */

import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import { isForkEvidence } from '../merkle/fork.ts';
import type { Trust } from '../merkle/trust.ts';
import { judgeReceipt, type Verification } from '../merkle/verification.ts';
import { linesOf } from '../service/client/lines.ts';
import { addCommand, CommandError, type ExitCode, readInput } from './command.ts';
import { type ForkVerdict, forkLine, judgeFork } from './fork.ts';
import { readTrust } from './trust.ts';

const exitCodes = {
  matches: 0,
  'does-not-match': 1,
  'not-yet-anchored': 3,
  'could-not-check': 3,
  'proves-fork': 0,
  'does-not-prove-fork': 1,
} as const;

/** The worst of several: a receipt that does not match outweighs one that could not be checked. */
const worstFirst: readonly ExitCode[] = [1, 3, 0];

export function addVerify(program: Command): void {
  addCommand(
    program,
    'verify <receipts...>',
    'check receipts, or the evidence of a fork, offline, against a trust file; a file that ends in .ndjson has a receipt on each line',
    {},
    async ({ output }, files, flags) => {
      const { trust, print } = await readTrust(String(flags['trust']));
      output.note(`trust file ${flags['trust']}, SHA-256 ${print}`);
      const codes = new Set<ExitCode>();
      for (const file of files) {
        for await (const [name, judged] of judgements(file, trust)) {
          if ('fork' in judged) output.result(forkLine(name, judged), { file: name, ...judged });
          else output.result(lineFor(name, judged, trust), { receipt: name, ...judged });
          codes.add(exitCodes[judged.verdict]);
        }
      }
      return worstFirst.find(code => codes.has(code)) ?? 0;
    },
  ).requiredOption('--trust <file>', 'the trust file that you rely on, got by another road than the receipt');
}

/** What is found of each receipt in a file, and how to call it. */
async function* judgements(
  file: string,
  trust: Trust,
): AsyncGenerator<readonly [string, Verification | Unchecked | ForkVerdict]> {
  if (!file.endsWith('.ndjson')) {
    yield [file, await judge(file, trust)];
    return;
  }
  let count = 0;
  try {
    for await (const { number, bytes, lengthBytes } of linesOf(createReadStream(file), maxReceiptBytes)) {
      count = number;
      const name = `${file}:${number}`;
      yield [name, bytes === undefined ? tooLarge(name, lengthBytes) : await judgeReceipt(bytes, trust)];
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    yield [file, unchecked(`${file} cannot be read (${error.code})`)];
    return;
  }
  // Nothing that matches is not everything that matches.
  if (count === 0) yield [file, unchecked(`${file} has no receipt`)];
}

/** A file that cannot be read says nothing about the receipt: not "does not match". */
async function judge(file: string, trust: Trust): Promise<Verification | Unchecked | ForkVerdict> {
  let bytes: Uint8Array;
  try {
    bytes = await readInput(file);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return unchecked(error.message);
  }
  if (bytes.length > maxReceiptBytes) return tooLarge(file, bytes.length);
  return isForkEvidence(bytes) ? judgeFork(bytes, trust) : judgeReceipt(bytes, trust);
}

function tooLarge(name: string, lengthBytes: number): Unchecked {
  return unchecked(`${name} has ${lengthBytes} bytes, a receipt has at most ${maxReceiptBytes}`);
}

function unchecked(detail: string): Unchecked {
  return { verdict: 'could-not-check', finality: 'unproved', steps: [], facts: null, detail };
}

/** More than the largest receipt of the largest event. What is larger is no receipt, and would only cost time and memory. */
const maxReceiptBytes = 8 * 1024 * 1024;

type Unchecked = {
  readonly verdict: 'could-not-check';
  readonly finality: 'unproved';
  readonly steps: readonly [];
  readonly facts: null;
  readonly detail: string;
};

function lineFor(file: string, verification: Verification | Unchecked, trust: Trust): string {
  const { verdict, facts } = verification;
  if (verdict === 'could-not-check') return `${file}: could-not-check: ${verification.detail}`;
  const failed = verification.steps.find(step => step.ok === false);
  if (facts === null) return `${file}: ${verdict} at ${failed?.name}: ${failed?.detail}`;

  const parts = [`${facts.kind} ${facts.leafHash}`, `entry ${facts.index} of ${facts.size}`, facts.time];
  if (facts.agency !== undefined) {
    const name = trust.agencies.get(facts.agency);
    parts.push(`by ${facts.agency}${name === undefined ? '' : ` (${name})`} with ${facts.algorithm}`);
  }
  if (facts.block !== undefined) {
    parts.push(`anchored in block ${facts.block} of ${facts.blockTime}`);
    parts.push(
      verification.finality === 'proved'
        ? 'finality proved'
        : 'finality unproved (this chain has no validators)',
    );
  }
  return `${file}: ${verdict}: ${parts.join(', ')}`;
}
