/** Configuration: what the environment and the command line say, read once, every fault named together. */

import { join } from 'node:path';
import { z } from 'zod';
import { abbreviate, parseSafeInteger } from '../merkle/bytes.ts';
import { FormatError } from '../merkle/errors.ts';
import { parseOrigin } from '../merkle/genesis.ts';
import { type Language, languages } from './web/settings.ts';

/** A configuration that cannot be used. Each fault is one sentence that says what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

const text = z.string().min(1, 'is set but empty: give it a value or leave it out');

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

// In DESIGN 4's order, then our additions. The key is the member of Config; `flag` is the option that says the same.
const settings = {
  dataFolder: { env: 'ZEGEL_DATA', flag: 'data', value: text, hint: 'the folder that zegel init created' },
  host: {
    env: 'ZEGEL_HOST',
    flag: 'host',
    value: text.regex(/^[A-Za-z0-9.:_-]+$/, 'is not a host name or address: give one such as 127.0.0.1'),
    hint: 'the address to listen on',
  },
  port: { env: 'ZEGEL_PORT', flag: 'port', value: integer(0, 65_535), hint: 'the port to listen on' },
  origin: {
    env: 'ZEGEL_ORIGIN',
    flag: 'origin',
    value: text.transform(readOrigin),
    hint: "the log's origin",
  },
  rpcUrl: {
    env: 'ZEGEL_RPC_URL',
    flag: 'rpc',
    value: text.transform(readRpcUrl),
    hint: "the chain's JSON-RPC URL",
  },
  deploymentFolder: {
    env: 'ZEGEL_DEPLOYMENT',
    flag: 'network',
    value: text.transform(value => (/[/\\]/.test(value) ? value : join('deployments', value))),
    hint: 'a folder under deployments/',
  },
  logKeyFile: {
    env: 'ZEGEL_LOG_KEY_FILE',
    flag: 'log-key-file',
    value: text,
    hint: 'the key that signs checkpoints',
  },
  anchorKeyFile: {
    env: 'ZEGEL_ANCHOR_KEY_FILE',
    flag: 'anchor-key-file',
    value: text,
    hint: 'the key that sends anchors to the chain',
  },
  adminKeyFile: {
    env: 'ZEGEL_ADMIN_KEY_FILE',
    flag: 'admin-key-file',
    value: text,
    hint: 'the key that deploys, opens and registers',
  },
  serviceKeyFile: {
    env: 'ZEGEL_SERVICE_KEY_FILE',
    flag: 'service-key-file',
    value: text,
    hint: "the key of the operator's agency that signs the service's own audit events",
  },
  passphraseFile: {
    env: 'ZEGEL_PASSPHRASE_FILE',
    flag: 'passphrase-file',
    value: text,
    hint: 'a file whose first line is the passphrase of encrypted key files',
  },
  anchorIntervalMs: {
    env: 'ZEGEL_ANCHOR_INTERVAL_MS',
    flag: 'anchor-interval-ms',
    value: integer(100, 86_400_000),
    hint: 'milliseconds between anchors',
  },
  confirmations: {
    env: 'ZEGEL_CONFIRMATIONS',
    flag: 'confirmations',
    value: integer(0, 10_000),
    hint: 'blocks on top before an anchor is final, on a chain without seals',
  },
  batchMax: {
    env: 'ZEGEL_BATCH_MAX',
    flag: 'batch-max',
    value: integer(1, 100_000),
    hint: 'records in one commit',
  },
  guardFile: {
    env: 'ZEGEL_GUARD',
    flag: 'guard',
    value: text,
    hint: 'a file, best on another volume, for the last signed checkpoint',
  },
  logLevel: {
    env: 'ZEGEL_LOG_LEVEL',
    flag: 'log-level',
    value: z.enum(logLevels, `is not a log level: give one of ${logLevels.join(', ')}`),
    hint: 'how much is logged',
  },
  eventMaxBytes: {
    env: 'ZEGEL_EVENT_MAX',
    flag: 'event-max',
    value: integer(1_024, 1_048_576),
    hint: 'bytes that one event may have',
  },
  keyLimit: {
    env: 'ZEGEL_KEY_LIMIT',
    flag: 'key-limit',
    value: integer(0, 10_000_000),
    hint: 'new records a second under one key, 0 for no limit',
  },
  addressLimit: {
    env: 'ZEGEL_ADDRESS_LIMIT',
    flag: 'address-limit',
    value: integer(0, 10_000_000),
    hint: 'submissions a second from one address, 0 for no limit by address',
  },
  readLimit: {
    env: 'ZEGEL_READ_LIMIT',
    flag: 'read-limit',
    value: integer(0, 10_000_000),
    hint: 'other requests a second from one address, 0 for no limit',
  },
  baseUrl: {
    env: 'ZEGEL_BASE_URL',
    flag: 'base-url',
    value: text.transform(readBaseUrl),
    hint: 'the URL under which the world reaches the service',
  },
  languages: {
    env: 'ZEGEL_LANGUAGES',
    flag: 'languages',
    value: text.transform(readLanguages),
    hint: "the languages of the citizen's page, such as nl,en",
  },
} as const;

type Settings = typeof settings;

/** The name of a setting, as a member of Config. */
export type Setting = keyof Settings;

type Defaults = {
  host: '127.0.0.1';
  port: 8080;
  anchorIntervalMs: 10_000;
  confirmations: 0;
  batchMax: 1_000;
  logLevel: 'info';
  eventMaxBytes: 65_536;
  keyLimit: 50_000;
  addressLimit: 50_000;
  readLimit: 1_000;
  languages: readonly Language[];
};

const defaults: Defaults = {
  host: '127.0.0.1',
  port: 8080,
  anchorIntervalMs: 10_000,
  confirmations: 0,
  batchMax: 1_000,
  logLevel: 'info',
  eventMaxBytes: 65_536,
  keyLimit: 50_000,
  addressLimit: 50_000,
  readLimit: 1_000,
  languages,
};

/** Settings with a default are always there; the others where the environment or a flag names them. */
export type Config = {
  readonly [S in keyof Defaults]: z.output<Settings[S]['value']>;
} & {
  readonly [S in Exclude<Setting, keyof Defaults>]?: z.output<Settings[S]['value']>;
};

/** A configuration in which these settings are certain. */
export type ConfigWith<S extends Setting> = Config & { readonly [N in S]-?: NonNullable<Config[N]> };

/** What `zegel serve` cannot do without. */
export const serviceNeeds = ['dataFolder', 'rpcUrl', 'deploymentFolder', 'anchorKeyFile'] as const;
export type ServiceConfig = ConfigWith<(typeof serviceNeeds)[number]>;

/** Every setting with its environment variable, the flag that says the same, and what it is: for a command's options. */
export const options: readonly {
  readonly setting: Setting;
  readonly env: string;
  readonly flag: string;
  readonly hint: string;
}[] = (Object.keys(settings) as Setting[]).map(setting => {
  const { env, flag, hint } = settings[setting];
  return { setting, env, flag, hint };
});

// Reserved by the design for parts that do not exist yet. Ignoring one would promise what is not done.
const reserved: Readonly<Record<string, string>> = {
  ZEGEL_JOURNAL:
    'ZEGEL_JOURNAL is reserved: this version keeps no journal on a second volume, so nothing would be written there; unset it.',
};

/**
 * Reads the configuration from the environment and from flags, which win. Names are those of DESIGN 4.
 *
 * @param flags values by flag name, such as `{ data: '/var/lib/zegel', rpc: 'http://127.0.0.1:8545' }`
 * @param needs settings that the command cannot do without
 * @throws {ConfigError} with every fault: unknown ZEGEL_ names, reserved ones, malformed values, missing settings
 */
export function readConfig<N extends Setting = never>(
  env: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, string | undefined>> = {},
  needs: readonly N[] = [],
): ConfigWith<N> {
  const faults = unknownNames(env);
  const config: Partial<Record<Setting, unknown>> = { ...defaults };
  for (const { setting, env: name, flag, hint } of options) {
    const [source, value] = flags[flag] === undefined ? [name, env[name]] : [`--${flag}`, flags[flag]];
    if (value === undefined) {
      if ((needs as readonly Setting[]).includes(setting) && !(setting in defaults))
        faults.push(`${name} is missing: set it (or --${flag}) to ${hint}.`);
      continue;
    }
    const parsed = settings[setting].value.safeParse(value);
    if (parsed.success) config[setting] = parsed.data;
    else faults.push(`${source} ${quoted(setting, value)}${parsed.error.issues[0]?.message} (${hint}).`);
  }
  if (faults.length > 0) throw new ConfigError(faults);
  // Every member was parsed by its own schema above, and what is needed is there.
  return config as ConfigWith<N>;
}

function unknownNames(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set(options.map(option => option.env));
  return Object.keys(env)
    .filter(name => name.startsWith('ZEGEL_') && env[name] !== undefined && !known.has(name))
    .sort()
    .map(
      name =>
        (Object.hasOwn(reserved, name) ? reserved[name] : undefined) ??
        `${abbreviate(name)} is not a setting: correct its name or unset it; there are ${[...known].join(', ')}.`,
    );
}

/** A decimal integer in the one form that we would print. */
function integer(least: number, most: number) {
  return text.transform((value, context) => {
    const number = parseSafeInteger(value);
    if (number !== undefined && number >= least && number <= most) return number;
    return fault(context, `is not an integer from ${least} to ${most}`);
  });
}

function readOrigin(value: string, context: z.RefinementCtx): string {
  try {
    return parseOrigin(value);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return fault(context, 'is not an origin: give 1 to 128 characters of a-z, 0-9 and . : / _ -');
  }
}

/** A URL of a node may carry a password or a token, in any of its parts. */
function readRpcUrl(value: string, context: z.RefinementCtx): string {
  const protocol = URL.parse(value)?.protocol;
  if (protocol === 'http:' || protocol === 'https:') return value;
  return fault(context, 'is not an http or https URL: give one such as http://127.0.0.1:8545');
}

/** A URL that others are told to append paths to: nothing but scheme, host, port and path, without a slash at the end. */
function readBaseUrl(value: string, context: z.RefinementCtx): string {
  const url = URL.parse(value);
  const plain = url !== null && /^https?:$/.test(url.protocol) && `${url.origin}${url.pathname}` === url.href;
  if (plain) return url.href.replace(/\/$/, '');
  return fault(context, 'is not a plain http or https URL: give one such as https://ledger.example');
}

/** Languages that the page has, each once, and Dutch among them: that is the text that counts. */
function readLanguages(value: string, context: z.RefinementCtx): readonly Language[] {
  const wanted = value.split(',');
  const on = languages.filter(language => wanted.includes(language));
  if (on.length === wanted.length && on.includes('nl')) return on;
  return fault(context, `is not a list of ${languages.join(', ')} with nl in it: give one such as nl,en`);
}

/** The value as the message shows it, but for the one that may hold a password. */
function quoted(setting: Setting, value: string): string {
  return setting === 'rpcUrl' || value === '' ? '' : `("${abbreviate(value)}") `;
}

function fault(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}
