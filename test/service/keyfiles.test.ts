import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../merkle/bytes.ts';
import { signNote, verifyNote } from '../../merkle/note.ts';
import {
  createAccountKey,
  createLogKey,
  createPrivateKeyFile,
  KeyFileError,
  readAccountKey,
  readLogKey,
} from '../../service/keyfiles.ts';

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
    await expect(readLogKey(path, 'o')).rejects.toThrow(
      `${path} is not a private key in unencrypted PKCS#8 PEM`,
    );
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
