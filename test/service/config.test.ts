import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError, options, readConfig, serviceNeeds } from '../../service/config.ts';

function faultsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('readConfig', () => {
  test('has defaults for all that has a good one, and nothing else', () => {
    expect(readConfig({})).toEqual({
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
      languages: ['nl', 'en', 'fr', 'de'],
    });
  });

  test('reads every setting from the environment', () => {
    const env = {
      ZEGEL_DATA: '/var/lib/zegel',
      ZEGEL_HOST: '::1',
      ZEGEL_PORT: '0',
      ZEGEL_ORIGIN: 'ledger.example/2026',
      ZEGEL_RPC_URL: 'http://user:secret@node.example:8545/?token=1',
      ZEGEL_DEPLOYMENT: 'demo',
      ZEGEL_LOG_KEY_FILE: 'log.key',
      ZEGEL_SERVICE_KEY_FILE: 'service.key',
      ZEGEL_ANCHOR_KEY_FILE: 'anchor.key',
      ZEGEL_ADMIN_KEY_FILE: 'admin.key',
      ZEGEL_PASSPHRASE_FILE: 'passphrase',
      ZEGEL_ANCHOR_INTERVAL_MS: '2500',
      ZEGEL_CONFIRMATIONS: '12',
      ZEGEL_BATCH_MAX: '500',
      ZEGEL_GUARD: '/mnt/other/guard',
      ZEGEL_LOG_LEVEL: 'debug',
      ZEGEL_EVENT_MAX: '131072',
      ZEGEL_KEY_LIMIT: '100',
      ZEGEL_ADDRESS_LIMIT: '0',
      ZEGEL_READ_LIMIT: '50',
      ZEGEL_BASE_URL: 'https://ledger.example/zegel/',
      ZEGEL_LANGUAGES: 'fr,nl',
    };
    expect(readConfig(env)).toEqual({
      dataFolder: '/var/lib/zegel',
      host: '::1',
      port: 0,
      origin: 'ledger.example/2026',
      rpcUrl: 'http://user:secret@node.example:8545/?token=1',
      deploymentFolder: join('deployments', 'demo'),
      logKeyFile: 'log.key',
      serviceKeyFile: 'service.key',
      anchorKeyFile: 'anchor.key',
      adminKeyFile: 'admin.key',
      passphraseFile: 'passphrase',
      anchorIntervalMs: 2_500,
      confirmations: 12,
      batchMax: 500,
      guardFile: '/mnt/other/guard',
      logLevel: 'debug',
      eventMaxBytes: 131_072,
      keyLimit: 100,
      addressLimit: 0,
      readLimit: 50,
      baseUrl: 'https://ledger.example/zegel',
      languages: ['nl', 'fr'],
    });
    expect(options.map(option => option.env).sort()).toEqual(Object.keys(env).sort());
  });

  test('lets flags win, and takes a path for a deployment as it is', () => {
    const config = readConfig({ ZEGEL_PORT: '8080' }, { port: '9090', network: '/etc/zegel/mainnet' });
    expect(config).toMatchObject({ port: 9090, deploymentFolder: '/etc/zegel/mainnet' });
  });

  test('ignores what is not its own', () => {
    expect(faultsOf(() => readConfig({ PATH: '/bin', zegel_port: 'x', ZEGELPORT: 'x' }))).toEqual([]);
  });

  test.each([
    ['ZEGEL_PROT', '1', 'ZEGEL_PROT is not a setting: correct its name or unset it; there are ZEGEL_DATA, '],
    ['ZEGEL___PROTO__', '1', 'ZEGEL___PROTO__ is not a setting'],
    ['ZEGEL_\u001b[31m', '1', 'ZEGEL_\\u001b[31m is not a setting'],
    ['ZEGEL_JOURNAL', '/mnt/j', 'ZEGEL_JOURNAL is reserved: this version keeps no journal'],
    ['ZEGEL_DATA', '', 'ZEGEL_DATA is set but empty: give it a value or leave it out'],
    [
      'ZEGEL_HOST',
      'http://x',
      'ZEGEL_HOST ("http://x") is not a host name or address: give one such as 127.0.0.1',
    ],
    ['ZEGEL_PORT', '65536', 'ZEGEL_PORT ("65536") is not an integer from 0 to 65535'],
    ['ZEGEL_PORT', ' 80', 'ZEGEL_PORT (" 80") is not an integer'],
    ['ZEGEL_PORT', '080', 'ZEGEL_PORT ("080") is not an integer'],
    ['ZEGEL_PORT', '8e1', 'ZEGEL_PORT ("8e1") is not an integer'],
    ['ZEGEL_ORIGIN', 'Ledger', 'ZEGEL_ORIGIN ("Ledger") is not an origin: give 1 to 128 characters of a-z'],
    [
      'ZEGEL_RPC_URL',
      'ws://u:secret@n',
      'ZEGEL_RPC_URL is not an http or https URL: give one such as http://127.0.0.1:8545',
    ],
    ['ZEGEL_LANGUAGES', 'en,fr', 'ZEGEL_LANGUAGES ("en,fr") is not a list of nl, en, fr, de with nl in it'],
    ['ZEGEL_LANGUAGES', 'nl,nl', 'ZEGEL_LANGUAGES ("nl,nl") is not a list'],
    ['ZEGEL_LANGUAGES', 'nl, en', 'ZEGEL_LANGUAGES ("nl, en") is not a list'],
    ['ZEGEL_BASE_URL', 'https://x/?q', 'ZEGEL_BASE_URL ("https://x/?q") is not a plain http or https URL'],
    [
      'ZEGEL_BASE_URL',
      'https://u:p@x/',
      'ZEGEL_BASE_URL ("https://u:p@x/") is not a plain http or https URL',
    ],
    [
      'ZEGEL_ANCHOR_INTERVAL_MS',
      '10s',
      'ZEGEL_ANCHOR_INTERVAL_MS ("10s") is not an integer from 100 to 86400000',
    ],
    ['ZEGEL_CONFIRMATIONS', '-1', 'ZEGEL_CONFIRMATIONS ("-1") is not an integer'],
    ['ZEGEL_BATCH_MAX', '0', 'ZEGEL_BATCH_MAX ("0") is not an integer from 1'],
    [
      'ZEGEL_LOG_LEVEL',
      'verbose',
      'ZEGEL_LOG_LEVEL ("verbose") is not a log level: give one of fatal, error,',
    ],
    ['ZEGEL_EVENT_MAX', '64k', 'ZEGEL_EVENT_MAX ("64k") is not an integer from 1024 to 1048576'],
  ])('refuses %s=%s and says what to do', (name, value, sentence) => {
    const faults = faultsOf(() => readConfig({ [name]: value }));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(sentence);
    expect(faults[0]).not.toContain('secret');
  });

  test('names every fault at once, each in a sentence of its own', () => {
    const read = () => readConfig({ ZEGEL_PROT: '1', ZEGEL_PORT: 'x' }, { 'batch-max': '0' }, serviceNeeds);
    expect(faultsOf(read)).toEqual([
      expect.stringContaining('ZEGEL_PROT is not a setting'),
      'ZEGEL_DATA is missing: set it (or --data) to the folder that zegel init created.',
      expect.stringContaining('ZEGEL_PORT ("x")'),
      "ZEGEL_RPC_URL is missing: set it (or --rpc) to the chain's JSON-RPC URL.",
      'ZEGEL_DEPLOYMENT is missing: set it (or --network) to a folder under deployments/.',
      'ZEGEL_ANCHOR_KEY_FILE is missing: set it (or --anchor-key-file) to the key that sends anchors to the chain.',
      expect.stringContaining('--batch-max ("0")'),
    ]);
    expect(read).toThrow(/\n/);
  });
});
