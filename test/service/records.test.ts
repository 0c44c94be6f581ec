/** A record opens with its own salt and under its own leaf hash, and with nothing else. */

import { createDecipheriv, hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ReceiptRecord } from '../../merkle/receipt.ts';
import { openRecord, sealRecord } from '../../service/records.ts';
import { StoreCorruptError } from '../../service/store.ts';
import { aSubmission } from '../helpers/ledger.ts';

const hash = new Uint8Array(32).fill(3);
const salt = new Uint8Array(32).fill(4);
const { statement, key } = aSubmission();
const single: ReceiptRecord = { statement, key, salt };
const batched: ReceiptRecord = {
  ...single,
  batch: {
    event: new TextEncoder().encode('{"é":1}'),
    salt: new Uint8Array(32).fill(5),
    index: 65_535,
    path: [new Uint8Array(32).fill(6), new Uint8Array(32).fill(7)],
  },
};

describe('sealRecord and openRecord', () => {
  it.each([
    ['a single record', single],
    ['a batched record', batched],
    ['a batch of one', { ...single, batch: { event: new Uint8Array(1), salt, index: 0, path: [] } }],
  ])('give back %s', (_, record) => {
    expect(openRecord(sealRecord(record, hash), salt, hash)).toEqual(record);
  });

  it('refuse another salt, another leaf hash, and any changed byte', () => {
    const sealed = sealRecord(single, hash);
    expect(() => openRecord(sealed, new Uint8Array(32).fill(9), hash)).toThrow(StoreCorruptError);
    expect(() => openRecord(sealed, salt, new Uint8Array(32))).toThrow(StoreCorruptError);
    for (let i = 0; i < sealed.length; i++) {
      const changed = Uint8Array.from(sealed);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(() => openRecord(changed, salt, hash)).toThrow(StoreCorruptError);
    }
    expect(() => openRecord(new Uint8Array(3), salt, hash)).toThrow(StoreCorruptError);
  });

  it('use the key that HKDF makes of the salt, as any reader of the format would', () => {
    const sealed = sealRecord(single, hash);
    const key = new Uint8Array(hkdfSync('sha256', salt, '', 'zegel record 1', 32));
    const decipher = createDecipheriv('aes-256-gcm', key, new Uint8Array(12));
    decipher.setAAD(hash).setAuthTag(sealed.subarray(-16));
    const plaintext = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
    expect(plaintext.subarray(-statement.length).toString()).toBe(statement);
  });

  it('show nothing of the record', () => {
    const sealed = Buffer.from(sealRecord(single, hash)).toString('latin1');
    expect(sealed).not.toContain(statement.slice(0, 16));
  });
});
