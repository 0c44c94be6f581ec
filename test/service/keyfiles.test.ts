import { spawnSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, randomUUID, verify } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encryptKeystoreJsonSync, Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../merkle/bytes.ts';
import { signNote, verifyNote } from '../../merkle/note.ts';
import { algorithms } from '../../merkle/signature.ts';
import { generateKey } from '../../service/client/signer.ts';
import {
  createAccountKey,
  createLogKey,
  createPrivateKeyFile,
  KeyFileError,
  readAccountKey,
  readLogKey,
  readPrivateKeyFile,
} from '../../service/keyfiles.ts';

/** A key of Hardhat's accounts. */
const wellKnown = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zegel-keys-'));
});
afterAll(() => rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);

async function file(name: string, content: string, mode = 0o600): Promise<string> {
  await writeFile(at(name), content);
  await chmod(at(name), mode);
  return at(name);
}

describe('createLogKey and readLogKey', () => {
  test('give a signer whose notes verify under its own key', async () => {
    await createLogKey(at('log.key'));
    const signer = await readLogKey(at('log.key'), 'ledger.test/keys');
    expect(signer.key.name).toBe('ledger.test/keys');
    const note = await signNote('text\n', signer);
    expect(verifyNote(note, [signer.key])).toHaveLength(1);
  });

  test('keep the key in PKCS #8 PEM that only its owner can read', async () => {
    await createLogKey(at('pem.key'));
    expect((await stat(at('pem.key'))).mode & 0o777).toBe(0o600);
    expect(await readFile(at('pem.key'), 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  });

  test('sign off the main thread what OpenSSL verifies', async () => {
    await createLogKey(at('raw.key'));
    const signer = await readLogKey(at('raw.key'), 'ledger.test/keys');
    const signature = await signer.sign(utf8('message'));
    const key = createPublicKey(await readFile(at('raw.key'), 'utf8'));
    expect(verify(null, utf8('message'), key, signature)).toBe(true);
  });

  test('never overwrite what is there, nor follow a link', async () => {
    const path = await file('taken.key', 'precious');
    await expect(createLogKey(path)).rejects.toThrow(
      'taken.key exists already, and a key is never overwritten',
    );
    expect(await readFile(path, 'utf8')).toBe('precious');

    await symlink(at('nowhere'), at('link.key'));
    await expect(createLogKey(at('link.key'))).rejects.toThrow(KeyFileError);
  });

  test.each([0o640, 0o604, 0o660, 0o610, 0o666])(
    'refuse a file of mode %o with the command that helps',
    async mode => {
      await createLogKey(at(`${mode}.key`));
      await chmod(at(`${mode}.key`), mode);
      const reading = readLogKey(at(`${mode}.key`), 'ledger.test/keys');
      await expect(reading).rejects.toThrow(`run chmod 600 ${at(`${mode}.key`)}`);
      await expect(reading).rejects.toThrow(KeyFileError);
    },
  );

  test('refuse a missing file, a folder and another key', async () => {
    await expect(readLogKey(at('missing.key'), 'o')).rejects.toThrow(
      'missing.key cannot be read: no such file or folder',
    );
    await expect(readLogKey(folder, 'o')).rejects.toThrow('is not a file, want a file with one private key');
    await createPrivateKeyFile(at('ec.key'), generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    await expect(readLogKey(at('ec.key'), 'o')).rejects.toThrow('holds a key of type ec, want Ed25519');
  });

  test('say nothing of what stands in a file that is no key', async () => {
    const path = await file('text.key', 'my secret words');
    await expect(readLogKey(path, 'o')).rejects.toThrow(`${path} is not a private key in PKCS#8 PEM`);
  });
});

describe('a key file under a passphrase', () => {
  const passphrase = (name: string, content = 'correct horse\u00e9 \nnot this\n', mode?: number) =>
    file(`${name}.passphrase`, content, mode);

  test.each(algorithms.map(({ name }) => name))('holds a private key for %s', async alg => {
    const key = generateKey(alg);
    await createPrivateKeyFile(at(`${alg}.enc`), key, await passphrase(alg));
    expect((await stat(at(`${alg}.enc`))).mode & 0o777).toBe(0o600);
    expect(await readFile(at(`${alg}.enc`), 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    const read = await readPrivateKeyFile(at(`${alg}.enc`), at(`${alg}.passphrase`));
    expect(read.equals(key)).toBe(true);
  });

  test('is read where another program wrote it', async () => {
    const key = generateKey('ES256');
    const pem = key.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x y' });
    const path = await file('node.enc', String(pem));
    const read = await readPrivateKeyFile(path, await passphrase('node', 'x y'));
    expect(read.equals(key)).toBe(true);
  });

  test('is read by openssl', async context => {
    await createPrivateKeyFile(at('openssl.enc'), generateKey('RS256'), await passphrase('openssl'));
    const args = ['pkey', '-in', at('openssl.enc'), '-passin', `file:${at('openssl.passphrase')}`, '-noout'];
    const { error, status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
    context.skip(error !== undefined, 'skipped: openssl is not installed');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('holds an account on the chain as a Web3 keystore', async () => {
    const key = await createAccountKey(at('account.json'), await passphrase('account'));
    expect(JSON.parse(await readFile(at('account.json'), 'utf8'))).toMatchObject({
      version: 3,
      Crypto: { kdf: 'scrypt', kdfparams: { n: 131_072 } },
    });
    expect(await readAccountKey(at('account.json'), at('account.passphrase'))).toBe(key);
  });

  const kinds: [
    string,
    (path: string, passphraseFile?: string) => Promise<unknown>,
    () => Promise<string>,
  ][] = [
    [
      'PKCS#8',
      readPrivateKeyFile,
      async () => {
        const path = at(`${randomUUID()}.enc`);
        await createPrivateKeyFile(path, generateKey('Ed25519'), await passphrase(randomUUID()));
        return path;
      },
    ],
    [
      'a keystore',
      readAccountKey,
      async () => {
        const account = { address: new Wallet(wellKnown).address, privateKey: wellKnown };
        // A cost that no one should use, so that the test is quick.
        const json = encryptKeystoreJsonSync(account, 'correct horse', { scrypt: { N: 2 } });
        return file(`${randomUUID()}.json`, json);
      },
    ],
  ];
  test.each(kinds)('in %s is not opened without its passphrase', async (_, read, make) => {
    const path = await make();
    await expect(read(path)).rejects.toMatchObject({
      name: 'KeyFileError',
      message: `${path} is encrypted: set ZEGEL_PASSPHRASE_FILE (or --passphrase-file) to a file with its passphrase`,
    });
    const wrong = await passphrase(randomUUID(), 'wrong horse');
    await expect(read(path, wrong)).rejects.toMatchObject({
      name: 'KeyFileError',
      message: `the passphrase in ${wrong} does not open ${path}: it is another one's, or the file is damaged`,
    });
    for (const [content, mode, message] of [
      ['', 0o600, 'begins with an empty line, want a passphrase'],
      ['x'.repeat(1_025), 0o600, 'has a first line of 1025 bytes, want at most 1024'],
      ['correct horse\r\n', 0o600, 'has lines that end in CR LF, want LF'],
      ['correct horse', 0o644, 'has mode 0644, so other users can reach the passphrase'],
    ] as const) {
      await expect(read(path, await passphrase(randomUUID(), content, mode))).rejects.toThrow(message);
    }
  });

  test('holds a log key', async () => {
    await createLogKey(at('log.enc'), await passphrase('log'));
    const signer = await readLogKey(at('log.enc'), 'ledger.test/keys', at('log.passphrase'));
    expect(verifyNote(await signNote('text\n', signer), [signer.key])).toHaveLength(1);
    await expect(readLogKey(at('log.enc'), 'ledger.test/keys')).rejects.toThrow('is encrypted: set ZEGEL_');
  });

  test('is no keystore for being JSON', async () => {
    const path = await file('other.json', '{"version":1}');
    await expect(readAccountKey(path)).rejects.toThrow('is not a Web3 keystore of version 3');
  });
});

describe('createAccountKey and readAccountKey', () => {
  test('agree on the key', async () => {
    const key = await createAccountKey(at('anchor.key'));
    expect(key).toMatch(/^0x[0-9a-f]{64}$/);
    expect(await readAccountKey(at('anchor.key'))).toBe(key);
    expect((await stat(at('anchor.key'))).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['', 'nothing'],
    ['ab'.repeat(32), 'no prefix'],
    [`0x${'AB'.repeat(32)}`, 'upper case'],
    [`0x${'ab'.repeat(31)}`, 'too short'],
    [`0x${'ab'.repeat(33)}`, 'too long'],
    [`0x${'00'.repeat(32)}`, 'zero'],
    [`0x${'ab'.repeat(32)}\n0x${'cd'.repeat(32)}`, 'two keys'],
  ])('refuse %j: %s', async (content, what) => {
    const path = await file(`${what}.account`, content);
    await expect(readAccountKey(path)).rejects.toThrow(
      'does not hold one key: want 0x and 64 lower-case hexadecimal',
    );
  });

  test('refuse a file that others can read', async () => {
    const path = await file('open.account', `0x${'ab'.repeat(32)}`, 0o644);
    await expect(readAccountKey(path)).rejects.toThrow(
      `has mode 0644, so other users can reach the private key`,
    );
  });
});
