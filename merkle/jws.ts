/** A compact JWS (RFC 7515 section 7.1) taken apart strictly: the form that statements, key proofs and tokens share. */

import { formatBase64url, parseBase64url, parseDotted, utf8 } from './bytes.ts';
import { FormatError } from './errors.ts';
import { JsonReader, parseJson } from './json.ts';
import { type Algorithm, algorithms } from './signature.ts';

const algorithmNames = algorithms.map(({ name }) => name);

/** A compact JWS. Nothing in it is verified yet. */
export type Jws<Typ extends string> = {
  readonly alg: Algorithm;
  /** The key's thumbprint in base64url. */
  readonly kid: string;
  readonly typ: Typ;
  /** Empty where the form has no audience. */
  readonly aud: string;
  /** Empty where it was left out to travel apart (RFC 7515 appendix F): the signature was over another one then. */
  readonly payload: Uint8Array;
  /** What the signature covers: header and payload as they were spelt (RFC 7515 section 5.2). */
  readonly signingInput: Uint8Array;
  readonly signature: Uint8Array;
};

/**
 * Reads a compact JWS: three parts in canonical base64url, and a protected header that is strict JSON with exactly the members
 * `alg`, `kid`, `typ`, and `aud` where wanted, all strings, in any order. Whatever else a header may have (`crit`, `b64`, `jku`,
 * `jwk`, `x5c`, or what is invented next) would change what is verified, so it is refused unread.
 * @throws {FormatError} naming every fault
 */
export function parseJws<Typ extends string>(
  compact: string,
  form: { readonly typs: readonly [Typ, ...Typ[]]; readonly aud: boolean },
): Jws<Typ> {
  const texts = compact.split('.');
  const [headerText, payloadText, signatureText] = texts;
  if (
    texts.length !== 3 ||
    headerText === undefined ||
    payloadText === undefined ||
    signatureText === undefined
  )
    throw FormatError.at('', `compact JWS has ${texts.length} parts, want 3`);

  const reader = new JsonReader();
  const { bytes, parts } = parseDotted(compact);
  // What was not read is read again by the one that says what is wrong with it.
  const part = (at: number, text: string, place: string): Uint8Array | undefined =>
    parts[at] ?? reader.parse(place, () => parseBase64url(text), undefined);
  const header = part(0, headerText, 'header');
  const payload = part(1, payloadText, 'payload');
  const signature = part(2, signatureText, 'signature');
  if (signatureText === '') reader.fail('signature', 'is empty');
  return reader.finish({
    ...readHeader(reader, header, form),
    payload: payload ?? new Uint8Array(0),
    signingInput: bytes.subarray(0, headerText.length + 1 + payloadText.length),
    signature: signature ?? new Uint8Array(0),
  });
}

type Header<Typ extends string> = Pick<Jws<Typ>, 'alg' | 'kid' | 'typ' | 'aud'>;

function readHeader<Typ extends string>(
  reader: JsonReader,
  bytes: Uint8Array | undefined,
  form: { readonly typs: readonly [Typ, ...Typ[]]; readonly aud: boolean },
): Header<Typ> {
  // A header that is not even base64url is one fault, not two.
  const document =
    bytes === undefined ? undefined : reader.parse('header', () => parseJson(bytes, 'header'), undefined);
  const members =
    document === undefined
      ? new Map()
      : reader.object(document, 'header', form.aud ? ['alg', 'aud', 'kid', 'typ'] : ['alg', 'kid', 'typ']);
  return {
    alg: reader.word(members.get('alg'), 'header.alg', algorithmNames) ?? 'ES256',
    kid: formatBase64url(reader.bytes(members.get('kid'), 'header.kid', 32)),
    typ: reader.word(members.get('typ'), 'header.typ', form.typs) ?? form.typs[0],
    aud: reader.string(members.get('aud'), 'header.aud'),
  };
}

/** What a signer signs: the header's members in the order given, then the payload. Its characters are ASCII. */
export function jwsSigningInput(header: Readonly<Record<string, string>>, payload: Uint8Array): string {
  return `${formatBase64url(utf8(JSON.stringify(header)))}.${formatBase64url(payload)}`;
}

/** A compact JWS from what was signed and the signature. */
export function formatJws(signingInput: string, signature: Uint8Array): string {
  return `${signingInput}.${formatBase64url(signature)}`;
}
