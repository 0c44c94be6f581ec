/** Formats that stand in answers and in files: how bytes, times and sizes are spelt, and what a receipt and a record are made of. */

import { z } from 'zod';

/** Base64url without padding, in its one canonical spelling: unused bits are zero (RFC 4648 section 3.5). */
const canonicalBase64url = '([A-Za-z0-9_-]{4})*([A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?';

export const bytes = z
  .string()
  .regex(new RegExp(`^${canonicalBase64url}$`))
  .describe('Bytes in base64url.');

/** So many bytes: in the last character, the bits that they leave over are zero. */
const bytesOf = (lengthBytes: number) => {
  const ends = { 0: '', 1: '[A-Za-z0-9_-][AQgw]', 2: '[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048]' } as const;
  const whole = Math.floor(lengthBytes / 3) * 4;
  const end = lengthBytes % 3 === 0 ? ends[0] : lengthBytes % 3 === 1 ? ends[1] : ends[2];
  return z.string().regex(new RegExp(`^[A-Za-z0-9_-]{${whole}}${end}$`));
};

export const hash = bytesOf(32).describe('A SHA-256 hash: 32 bytes in base64url.');
export const salt = bytesOf(32).describe("A record's salt: 32 bytes in base64url.");
export const entry = bytesOf(74).describe('The 74 public bytes of an entry, in base64url.');

export const leafHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe('The leaf hash of an entry, SHA-256(0x00 ‖ entry), in hexadecimal.');

export const hex32 = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/)
  .describe('32 bytes in hexadecimal.');
export const address = z
  .string()
  .regex(/^0x[0-9a-f]{40}$/)
  .describe('An address on the chain.');

export const size = z.int().nonnegative().describe('A number of entries.');
export const index = z.int().nonnegative().describe("An entry's place in the log, from 0.");
export const time = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
  .describe('A time in UTC, with milliseconds (RFC 3339).');

export const path = z.array(hash).describe('Hashes from a leaf up to the root (RFC 9162 section 2.1.3).');
export const checkpoint = z.string().describe('A checkpoint: a C2SP signed note of origin, size and root.');
export const compactJws = z
  .string()
  .regex(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/)
  .describe('A compact JWS (RFC 7515).');

export const publicKey = z
  .union([
    z.strictObject({
      kty: z.literal('EC'),
      crv: z.enum(['P-256', 'P-384', 'secp256k1']),
      x: bytes,
      y: bytes,
    }),
    z.strictObject({ kty: z.literal('RSA'), n: bytes, e: bytes }),
    z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: bytes }),
  ])
  .describe("A public key as a JWK, with exactly the members of RFC 7638's thumbprint.");

export const evidence = z
  .strictObject({
    headers: z
      .array(bytes)
      .min(1)
      .describe('Block headers in RLP; the anchor stands in the state of the first.'),
    nodes: z
      .array(bytes)
      .describe('State trie nodes in RLP, in the order in which the walks first need them.'),
  })
  .describe('What proves that the chain has anchored the root.');

export const batched = z
  .strictObject({ event: bytes, salt, index, path })
  .describe("One event's place under a batch statement.");

export const record = z
  .strictObject({ statement: compactJws, salt, key: publicKey, batch: batched.optional() })
  .describe(
    "What opens an entry's commitment. `batch` is there exactly when the statement is a batch statement; otherwise the event is the statement's payload.",
  );

export const receipt = z
  .strictObject({
    version: z.literal(1),
    entry,
    inclusion: z.strictObject({ index, path }),
    checkpoint,
    evidence: evidence
      .nullable()
      .describe('Null until the anchor is final; from then on the receipt never changes.'),
    record: record.optional().describe('Left out in a proof-only receipt.'),
  })
  .describe(
    'The file that a citizen keeps. It stands alone: `zegel verify` and the page `/verify` check it offline.',
  );
