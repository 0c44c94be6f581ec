/** What agencies have announced on the chain: their keys, each with a good proof of possession, and their names. Kept in the store. */

import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import { equalBytes, formatHex, formatHex0x, parseHex0x, parseUtf8, utf8 } from '../merkle/bytes.ts';
import { FormatError, ProofError } from '../merkle/errors.ts';
import type { RegisteredKey } from '../merkle/evidence.ts';
import { canonicalJwk, type Jwk, parseJwk } from '../merkle/jwk.ts';
import { verifyKeyProof } from '../merkle/keyproof.ts';
import { type Algorithm, algorithmName } from '../merkle/signature.ts';
import type { KeyAdded } from './abi.ts';
import { type Store, StoreCorruptError, type Write } from './store.ts';

/** A key as its event announced it. What counts is what the state holds; the state alone has no public key. */
export type Announcement = {
  readonly keyId: Uint8Array;
  readonly agency: string;
  readonly algorithm: Algorithm;
  /** Seconds, as is `validUntil`, which a retirement may have brought forward since. */
  readonly validFrom: number;
  readonly validUntil: number;
  readonly jwk: Jwk;
};

/** An agency under its display name, which proves nothing. The controller is an address in lower case. */
export type Agency = { readonly agency: string; readonly name: string; readonly controller: string };

/** How far the events have been read: a final block. */
export type Cursor = { readonly number: number; readonly hash: Uint8Array };

/**
 * Checks what an event says about a key by itself: a canonical JWK of a sound public key, its thumbprint, and the key's own
 * statement that it belongs to this agency in this registry. The contract takes any bytes, so this is where a key that nobody has
 * shown to possess ends. Rejects with FormatError or ProofError.
 */
export async function readAnnouncement(
  { keyId, agency, algorithm: number, jwk: text, validFrom, validUntil, proof }: KeyAdded,
  registry: { readonly chainId: string; readonly address: Uint8Array },
): Promise<Announcement> {
  if (!equalBytes(sha256(text), keyId)) throw new ProofError("the key id is not the key's thumbprint");
  const jwk = parseJwk(text);
  if (!equalBytes(utf8(canonicalJwk(jwk)), text)) throw FormatError.at('', 'the key is not a canonical JWK');
  const algorithm = algorithmName(number);
  const claim = { agency, chainId: registry.chainId, registry: registry.address };
  await verifyKeyProof(parseUtf8(proof), { ...claim, jwk, algorithm });
  return { keyId, agency, algorithm, validFrom, validUntil, jwk };
}

/** Whether the state holds the key that was announced. Its end may have been brought forward since; nothing else can change. */
export function isAnnounced(announcement: Announcement, key: RegisteredKey): boolean {
  return (
    key.agency === announcement.agency &&
    algorithmName(key.algorithm) === announcement.algorithm &&
    key.validFrom === announcement.validFrom &&
    key.validUntil <= announcement.validUntil
  );
}

const announcementShape = z.strictObject({
  agency: z.string(),
  algorithm: z.enum(['ES256', 'ES384', 'ES256K', 'RS256', 'PS256', 'Ed25519']),
  validFrom: z.int().nonnegative(),
  validUntil: z.int().nonnegative(),
  jwk: z.string(),
});
const agencyShape = z.strictObject({ name: z.string(), controller: z.string() });
const cursorShape = z.strictObject({ number: z.int().nonnegative(), hash: z.string() });
const cursorKey = utf8('key registry');

/** Reads everything that was kept. */
export async function readAnnouncements(store: Store): Promise<{
  readonly announced: Map<string, Announcement>;
  readonly agencies: Map<string, Agency>;
  readonly cursor: Cursor | undefined;
}> {
  const announced = new Map<string, Announcement>();
  for await (const [keyId, value] of store.range('key')) {
    const { jwk, ...rest } = parse(announcementShape, value);
    announced.set(formatHex(keyId), { keyId, ...rest, jwk: parseJwk(utf8(jwk)) });
  }
  const agencies = new Map<string, Agency>();
  for await (const [key, value] of store.range('agency')) {
    const agency = parseUtf8(key);
    agencies.set(agency, { agency, ...parse(agencyShape, value) });
  }
  const value = await store.get('cursor', cursorKey);
  const cursor = value === undefined ? undefined : parse(cursorShape, value);
  return { announced, agencies, cursor: cursor && { ...cursor, hash: parseHex0x(cursor.hash, 32) } };
}

export function keyWrite({ keyId, jwk, ...rest }: Announcement): Write {
  return { table: 'key', key: keyId, value: json({ ...rest, jwk: canonicalJwk(jwk) }) };
}

export function agencyWrite({ agency, ...rest }: Agency): Write {
  return { table: 'agency', key: utf8(agency), value: json(rest) };
}

export function cursorWrite({ number, hash }: Cursor): Write {
  return { table: 'cursor', key: cursorKey, value: json({ number, hash: formatHex0x(hash) }) };
}

function json(value: unknown): Uint8Array {
  return utf8(JSON.stringify(value));
}

/** Values carry a check hash, so one that is not in its form was written by another version. */
function parse<T>(shape: z.ZodType<T>, value: Uint8Array): T {
  const parsed = shape.safeParse(JSON.parse(parseUtf8(value)));
  if (!parsed.success)
    throw new StoreCorruptError('a kept announcement is not in its form', { cause: parsed.error });
  return parsed.data;
}
