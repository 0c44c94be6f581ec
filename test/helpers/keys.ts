/** Keys for tests only, one per algorithm, made for this file and published with it: never use them for anything else. */

import { constants, createPrivateKey, KeyObject, sign } from 'node:crypto';
import { formatBase64url } from '../../merkle/bytes.ts';
import { type Jwk, thumbprint } from '../../merkle/jwk.ts';
import type { Algorithm } from '../../merkle/signature.ts';

/** A private JWK (RFC 7518 section 6), as node:crypto exports it. */
export type PrivateJwk = Readonly<Record<string, string>> & { readonly kty: string; readonly d: string };

/** The public half of a key, with exactly RFC 7638's members. */
export function publicJwk(key: PrivateJwk): Jwk {
  const { kty, crv = '', x = '', y = '', n = '', e = '' } = key;
  if (kty === 'RSA') return { kty, n, e };
  if (kty === 'OKP' && crv === 'Ed25519') return { kty, crv, x };
  if (kty === 'EC' && (crv === 'P-256' || crv === 'P-384' || crv === 'secp256k1')) return { kty, crv, x, y };
  throw new Error(`no test key of type ${kty} ${crv}`);
}

/** A key's thumbprint in base64url, as `kid` has it. */
export function kidOf(key: PrivateJwk): string {
  return formatBase64url(thumbprint(publicJwk(key)));
}

/** Signs as an agency would, over OpenSSL: no code of ours vouches for our own verifier. */
export function signAs(alg: Algorithm, key: PrivateJwk, input: string | Uint8Array): Uint8Array {
  const message = typeof input === 'string' ? Buffer.from(input) : input;
  const privateKey = createPrivateKey({ key, format: 'jwk' });
  switch (alg) {
    case 'ES256':
    case 'ES256K':
      return new Uint8Array(sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
    case 'ES384':
      return new Uint8Array(sign('sha384', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
    case 'RS256':
      return new Uint8Array(sign('sha256', message, privateKey));
    case 'PS256':
      return signPss(privateKey, message, 32);
    case 'Ed25519':
      return new Uint8Array(sign(null, message, privateKey));
  }
}

/** RSASSA-PSS with any length of salt, in bytes. */
export function signPss(key: PrivateJwk | KeyObject, message: Uint8Array, saltLength: number): Uint8Array {
  const privateKey = key instanceof KeyObject ? key : createPrivateKey({ key, format: 'jwk' });
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return new Uint8Array(sign('sha256', message, { key: privateKey, padding, saltLength }));
}

/** The test key for each algorithm. */
export function keyFor(alg: Algorithm): PrivateJwk {
  return testKeys[keyNames[alg]];
}

const keyNames = {
  ES256: 'es256',
  ES384: 'es384',
  ES256K: 'es256k',
  RS256: 'rs256',
  PS256: 'ps256',
  Ed25519: 'ed25519',
} as const satisfies Record<Algorithm, keyof typeof testKeys>;

export const testKeys = {
  es256: {
    kty: 'EC',
    crv: 'P-256',
    x: '-dfsF2pOYZ1nxLVoE9xc999OCHE9Z-kycPEcAlaQl4w',
    y: 'ySkBwBeAuo6T51qpcFIARnde8_g5dPsiY9HNdvmNXJY',
    d: 'qoh8aDlOTThpL5xRO-dEWh2b9xJE1bkspsMC809-wnY',
  },
  es384: {
    kty: 'EC',
    crv: 'P-384',
    x: 'OWVZA9VFxvRousGqAGzCTD27shZilTI-FV818ImmhRfoAeAblnWx_bcY_659y8Se',
    y: 'rpDbBN7BJaDExkIRU6v5aqUzdFE6G3iXckAnusFOikkRalBcGdWPYMec-wksiFqs',
    d: 'T0s-Ce9rVlG5WRE0_GJhpYxMq68Od1rJSemafHHg96G-JR_G62YsCW7JWJz_z4ef',
  },
  es256k: {
    kty: 'EC',
    crv: 'secp256k1',
    x: 'wSQgqBclXcIYafIOowvtggDb6DtGmDB9YBv7yih2_Q8',
    y: 'nBEeMZ0nS0wBwLAUzfDzKLIBr1Lxa9GQDkftohgwTec',
    d: 'VF52Ly6uNcwhsC4Q_S7tZG2aLhT62WSD5o3JxI2gIpY',
  },
  rs256: {
    kty: 'RSA',
    n: 'xwq3EQ-urv1Cyy7EQlx2v5BJI5ECaZp8fHovYGv4OZAFCRgC2Z7m6JuHUM0BUK9pIG5zdsXAvwrphDawOCMThfCCBDbuAEgh2dZoPxmGive-_i794RH4USdvwUlgY4EjZoYJ6ekNMWw1kVFB64HN9r7pcsKSgF8CsgYGPjX-ATTqsd5n9lAA5EkiSCyoZKTbup9-rS9wk4hyR0vv5JKBJfd--3hh4z2XA5V6t9CwGJG9VBse-X6irXjkFQSVA11H5Ii7ThcW39LR2Jh7sJR_QLC5CGdtnXr_3Va4YTiK8hZSpKAp0QJozwwZ77iSrpMAgOMh1zvFkkcUM28cPvUGjw',
    e: 'AQAB',
    d: 'Ab9nd3Cyy_HyzENvariNJm5WOfPKyfznOiYBIW7LUi-OIXphxCOMt1luIx8Eb-Vmgqm35a5whJsVZO890uWek633hoQIq7jZKUy969fNLUUcynoyjT_lGdXGthnOR48aa8yl7LF6m7ve8b1gA0XWQxcxchmr-mi4aj0JRlb-MlJqIjkUtDsJRUzg3X5wPZ5OxCioWFipM8MVVBh6qr4zuWShZX1qi0CO4fuWYuE3_Iex0c_xD3m-RnsLoNsrtQGh_Bx3oiPbdjZwgguPrx8Oncx7CkXHyMwTyZq5GbC8yB2rRw_PtKFetxb-IMNRC9uoAb3vVOlV11o2LFFCVF3asQ',
    p: '_iHAOuKuOkYgq_J9Y0JtiG7s_HBMAWN_UcWT5PinwZZEUNlnSJyNRAYLCPNIt6aYvprZpiAvcm50BDqWRDMTzBYTsDB9h36k7Dl7auOspu-pKDDAxywSSlOiHRn7aTiHVMWe8O5q5vdAh_3slURO9T6llanpr57oJaJiOrcEEf8',
    q: 'yIFKbDmHswIMedRr5o9NpVbSPuHOoXeimasOnOToeZdO8r72Tv4xO7ytuVs1QGQ8A_ualHSJhUurcBmaghPqbJW85xPV-ScFWNNUgMocK8AL012ZmKsQEkvMtdZyPJ20tQ6MONJ0KFOc8HZF_vBgFJOVRqD705ZRUfHvob5c63E',
    dp: 'jfhE76CbPKrYrbZ2HfGKR2HQuuXxUAVJp2D9UjknXpqX56LMdGAg-xN1LrbatN45DqJrXMc2OnNCFOq177upH6ZlsVQljIBPmjgynnA6j7frhCxYRex0-1jlg-Rz80BFOjJ8rJRE3Grcfhx5App6kb9Bue6GQjo_7mZdAfgkKfk',
    dq: 'uXyCMOR32O5IRFxzBXQEzLQpA-s5kL5wOeC5QAOz3OhRLNfkXOdi_HRr8lGiTdNsgfK86iF1J079ZlMJUNTDxXgwrUT4aenjVG0Me6h9ryuWxQ6ODWITGBnvYzjjrZfnmKfAqMBonPXc9cc0scgF2oM9UX2T-gXRbRF4MhU9OME',
    qi: 'zCtznmVz5TOlRf0GASc-ToVcwwty9covfuId6DbqSZyHRUrI2JieeoLJ0n9pjCVYoHHX45gK8_z_32v1lo49eKZkHkJXimU4RPd8TKkJEZXxVYAITwr8NY9QZR3x1HBwpYJV9IbLfzXZ84z2A77IWG2AwmIdMa4Gg0IcVnKFtwU',
  },
  ps256: {
    kty: 'RSA',
    n: 'r5ShBHUvPVl451DIcK0ggl5AdJAZ-tArP9wig8yN2LU6G2kUVphQSDWGLzx8xgvH5kCMkmOhWbj0KfVY4NJrj1X85UeSPPjCRqVKNDTXScSwjFbW2wHh154RIS-ZwY7FBUM0HCSZlpvT29vm3Ms_CBSV4QzOq19JcqpzeTWfWO0JPvYFVZLa4NLujRrwe2zBjXfkVDASqizNnrG1rEaMxu1h-9hIglOkXpODWupkfVK19uNMquArFJ6QEs2z4O8KCBRHIJzI2Gn8zCwcS6AQo0qBrrTtPt_ACqfnuJA6TAhFgg1rmZExoVh8PK4S8ftThEbwC6tVnxcroGYFIcAfRw',
    e: 'AQAB',
    d: 'EKfSjxKHXNRQIJqXAP_zTa_01k8rH7yVNbVt_WmvP6eQBQn2mMZRwJ_PLvZCcc5Wnp7F7EcQ3GrWl-UDEtnzGRbo6rOw3swhhcO9N8RBcz56GZNNRgY2LxbP_Na_86QASDZZSvLP3QEYMPV5v2fKVBERLKw4g0-ChKLrBExUEC0ieA4XI53LDaRQB9EE5MqxpRMOjZYNaWYLsYu7Y-P9XGmz3YbBdECe9EF0aLocP5FbYh10wo25OKapJ7jdgXB6EZzefcvlTMnArUlqYaQtJHSpbdikEpsMKiuQ2-HpoUGrFK-ZJ-x1bYkgg2N5x5yxA3bwv8i5NuZrbb3JkN9u8Q',
    p: '47rvZ17Zm-8bgCrTdzhnOn7JXdjgZD6ImJaeITl7bzKvmrSdoOrvZyJBVsdPHVqQXFc40CIqD8W4SM1SC_mqyIiMYQXnxExIzjba0o4saYkTPYHnBfJW726MwuWsZndZlMkwoSaO_2_4PbovX9bmrgscWTy8nI3IBp5-5INEbnc',
    q: 'xWBssMtfThR6CmdsqbdTo5N-qCqsKVjkqxftKbcrHqkb_mSjquRmL8n_27xU0MnJ5QciNFV-KUQaFQSSNJkMeq1-2ViMVFR-yf8KIaoFHi9sjJgOyJqcXtMXJ7qf5yn8Mes66u5sOR_0hqkl9bje_hG_l3U7rAJJhh0NGhly-bE',
    dp: 'XGDjZqJiUdAP7tDwkUcvENqHoussM13umT9YDBA-UyBTfcVQwAstbD_IE4SsQjMPpnW3VS7Wsyk4lUe8xaDUt540m9MCbm2nhwdXgtwrhfAV_vhoF9BzlZLZxOHYKoS1sRZgBK8YiOQJ5jhVqWIKl4VoTYbG2Bbnkk_PF7FsHAc',
    dq: 'Kl8R1j5CfmuM63DadfCiJuqB9S37-YBYzpX7Vso4moNpPAp0zDnt6fJuV8itWIkJK36FjECSLd-tzbdGf74fXLKkGZqVvYDKGykCDsoGAT3jCqeV_OCcEwsz3FaG_0QXHMxHwKlgWD8Q6lujh4WhcV90Btqm7b0r9XuFFYZDFXE',
    qi: 'T08s9gZIwZiqzWH27NQ_NpEktKcZ9xfsPeKi532PJNwdQ-HFil_03VV40ZoatHPvWaChHibfV1pbF6eli5QyLCWFMkfYYrL8sAofodJuvMTUzgZRe1CI7VfKoFK1GQs7eqBuIwzxRZ07HrZWmrQ1QjGGLNF1UEVyeWxSEiQnYoM',
  },
  ed25519: {
    kty: 'OKP',
    crv: 'Ed25519',
    x: 'M63hJDphKekN1mmlNlU2QyhThSMC4TXseq61WpGY-Bg',
    d: 'ZbjXhvdCrVhIdXOuXS9IpZlL_EsLOBPPyJKHJvH0ihg',
  },
} as const satisfies Record<string, PrivateJwk>;
