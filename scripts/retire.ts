/** `zegel key retire`: brings a key's end forward, by the registrar or by the agency that has the key. */

import type { Command } from 'commander';
import type { Contract, ErrorDescription, Wallet } from 'ethers';
import { formatBase64url, formatHex, formatHex0x, parseBase64url, parseHex } from '../merkle/bytes.ts';
import { FormatError } from '../merkle/errors.ts';
import { contractOf, deploymentOn, transact, withAccount } from './administration.ts';
import { agencyText } from './agency.ts';
import { addCommand, CommandError } from './command.ts';
import { formatSeconds, parseTime } from './times.ts';

/** RFC 5280 section 5.3.1's reasons, but for 6 and 8, which can be undone: a retirement cannot. */
const reasons = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
  aACompromise: 10,
} as const;

/** How long before its end a retirement must be announced, in seconds (contracts/IKeyRegistry.sol). */
const noticeS = 120;

/**
 * How much more than the notice is given where no end was named. The notice counts from the block that will hold the transaction,
 * which is later than any that can be seen: by the wait for it, and by as much as clocks may differ (30 s, DESIGN 3.7). It costs
 * nothing, since the service takes nothing more under the key from the moment in which it sees the retirement.
 */
const marginS = 30;

/** When a key ends, and why. Times in seconds since 1970. */
export type Retirement = {
  /** The earliest possible, if left out. */
  readonly validUntil?: number | undefined;
  readonly reason: number;
  /** Since when the key may have been in other hands; 0 where that is not suspected. */
  readonly suspectSince: number;
};

export function addRetire(parent: Command): void {
  addCommand(
    parent,
    'retire <kid>',
    'end a key: nothing new is accepted under it from now on, and what was accepted stays proved',
    { needs: ['deploymentFolder', 'rpcUrl'], uses: ['adminKeyFile', 'passphraseFile'] },
    async ({ config, output }, [text = ''], flags) => {
      const keyId = parseKeyId(text);
      const wanted = {
        validUntil: parseTime(flags['until']),
        reason: parseReason(String(flags['reason'])),
        suspectSince: parseTime(flags['suspectSince']) ?? 0,
      };
      const controller = flags['controllerKeyFile'];
      const keyFile = typeof controller === 'string' ? controller : config.adminKeyFile;
      if (keyFile === undefined) {
        throw new CommandError(
          2,
          'name who retires the key: the registrar with --admin-key-file, or the agency with --controller-key-file',
        );
      }
      const retired = await withAccount(config, keyFile, account =>
        retireKey(account, config.deploymentFolder, keyId, wanted),
      );
      const { agency, validUntil, isNew } = retired;
      const kid = formatBase64url(keyId);
      const end = `valid until ${formatSeconds(validUntil)}`;
      output.result(
        isNew
          ? `retired key ${kid} of ${agency}, ${end}`
          : `key ${kid} of ${agency} was retired before, ${end}`,
        {
          agency,
          kid,
          keyId: formatHex(keyId),
          validUntil,
          reason: wanted.reason,
          suspectSince: wanted.suspectSince === 0 ? null : wanted.suspectSince,
          isNew,
        },
      );
      return 0;
    },
  )
    .option('--until <time>', 'its end, such as 2027-01-01T00:00:00Z (default: as soon as can be)')
    .option('--reason <reason>', `a reason of RFC 5280: ${Object.keys(reasons).join(', ')}`, 'unspecified')
    .option('--suspect-since <time>', 'since when it may have been in other hands, for whoever looks back')
    .option('--controller-key-file <file>', "the key of the agency's controller, in place of the registrar's")
    .addHelpText(
      'after',
      '\nA kid that begins with - goes after --, or is given as its key id in hexadecimal.',
    );
}

/**
 * Brings a key's end forward, or finds that this was done before. The account is the registrar's or that of the agency's controller.
 *
 * @throws {CommandError} if the registry refuses, knows no such key, or has it retired otherwise
 */
export async function retireKey(
  account: Wallet,
  folder: string,
  keyId: Uint8Array,
  { validUntil: named, reason, suspectSince }: Retirement,
): Promise<{ readonly agency: string; readonly validUntil: number; readonly isNew: boolean }> {
  const deployment = await deploymentOn(account, folder);
  const registry = await contractOf('KeyRegistry', deployment, account);
  const found = await registry.getFunction('keyOf')(keyId);
  const kid = formatBase64url(keyId);
  if (found.algorithm === 0n) throw new CommandError(1, `no key ${kid} was ever registered`);
  const agency = agencyText(found.agency);
  const end = Number(found.validUntil);

  const validUntil = named ?? (await earliestEnd(account));
  const isDone = named === undefined ? end <= validUntil : end === validUntil;
  if (isDone) {
    const last = await lastRetirement(registry, keyId, deployment.contracts.KeyRegistry.block);
    if (last?.reason === reason && last.suspectSince === suspectSince)
      return { agency, validUntil: end, isNew: false };
    const why =
      last === undefined ? 'without having been retired' : `for ${reasonText(last.reason)}, as was said then`;
    throw new CommandError(
      1,
      `key ${kid} of ${agency} ends at ${formatSeconds(end)} already, ${why}: only an earlier end can be set`,
    );
  }
  const explain = (error: ErrorDescription) => explained(error, { kid, agency, account: account.address });
  await transact(registry, 'retireKey', [keyId, validUntil, reason, suspectSince], explain);
  return { agency, validUntil, isNew: true };
}

/** The earliest end that the registry will surely take. */
async function earliestEnd({ provider }: Wallet): Promise<number> {
  const block = await provider?.getBlock('latest');
  // A chain that mines on demand may have stood still for hours, and its next block has the present time.
  return Math.max(block?.timestamp ?? 0, Math.floor(Date.now() / 1000)) + noticeS + marginS;
}

async function lastRetirement(
  registry: Contract,
  keyId: Uint8Array,
  fromBlock: number,
): Promise<{ readonly reason: number; readonly suspectSince: number } | undefined> {
  const filter = registry.getEvent('KeyRetired')(null, formatHex0x(keyId));
  const logs = await registry.queryFilter(filter, fromBlock);
  const args = logs.map(log => registry.interface.parseLog(log)?.args).at(-1);
  if (args === undefined) return undefined;
  return { reason: Number(args['reason']), suspectSince: Number(args['suspectSince']) };
}

/** What the registry's errors mean for whoever typed the command. */
function explained(
  { name, args }: ErrorDescription,
  { kid, agency, account }: { readonly kid: string; readonly agency: string; readonly account: string },
): string | undefined {
  const time = (member: string) => formatSeconds(Number(args[member]));
  switch (name) {
    case 'KeyRegistryNoticeTooShort':
      return `${time('validUntil')} is too soon: an end is announced ${noticeS} s before, so now it can be ${time('earliest')} at the earliest; leave --until out for as soon as can be`;
    case 'KeyRegistryRetirementNotEarlier':
      return `key ${kid} of ${agency} ends at ${time('lastValidUntil')} already: an end can only be brought forward, not moved back to ${time('validUntil')}`;
    case 'AccessManagedUnauthorized':
      return `${account} may not retire keys of ${agency}: it is neither the registrar's account nor that of the agency's controller`;
  }
  return undefined;
}

/** A key's thumbprint, as its kid or in hexadecimal. */
function parseKeyId(text: string): Uint8Array {
  try {
    if (/^[0-9a-f]{64}$/.test(text)) return parseHex(text, 32);
    const keyId = parseBase64url(text);
    if (keyId.length === 32) return keyId;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  throw new CommandError(2, `"${text}" is not a key's kid: zegel key list shows them`);
}

/** A reason's number, from its name or the number itself. */
function parseReason(text: string): number {
  const named = new Map<string, number>(Object.entries(reasons));
  const reason = named.get(text) ?? [...named.values()].find(number => String(number) === text);
  if (reason !== undefined) return reason;
  throw new CommandError(
    2,
    `"${text}" is not a reason for which a key ends: give one of ${[...named.keys()].join(', ')}, or its number in RFC 5280`,
  );
}

function reasonText(number: number): string {
  return Object.entries(reasons).find(([, value]) => value === number)?.[0] ?? String(number);
}
