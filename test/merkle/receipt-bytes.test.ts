/**
 * Nothing in a receipt is decoration (DESIGN 3.5): any changed byte, element or member is refused. Left free are only note
 * signatures by keys that the trust file does not know, and, where nobody seals, parts of a header that nothing binds.
 */

import { beforeAll, describe, expect, it } from 'vitest';
import { formatBase64, formatBase64url, parseBase64, parseBase64url, utf8 } from '../../merkle/bytes.ts';
import { parseHeader } from '../../merkle/header.ts';
import { type VerifySignature, verifySignature } from '../../merkle/signature.ts';
import type { Trust } from '../../merkle/trust.ts';
import { judgeReceipt, type Verification } from '../../merkle/verification.ts';
import { type Forged, forge, logKeys, type Plan } from '../helpers/forge.ts';

/** Small ones, so that all their bytes can be tried; where evidence is not the point, it is not there yet. */
const plans = {
  'a record on QBFT': { size: 3, index: 1, validators: 1, neighbours: 1 },
  'a genesis entry on Clique': {
    kind: 'genesis',
    size: 2,
    consensus: 'clique',
    validators: 1,
    neighbours: 0,
  },
  'a batch to be anchored': { size: 3, index: 2, batch: { size: 3, index: 1 }, pending: true },
  'a proof-only receipt with a witness': {
    size: 2,
    index: 1,
    proofOnly: true,
    pending: true,
    signers: [logKeys.witness, logKeys.present],
  },
} as const satisfies Record<string, Plan>;

type Name = keyof typeof plans;
const names = Object.keys(plans) as Name[];

const forged = new Map<Name, Forged & { readonly text: string }>();
beforeAll(async () => {
  for (const name of names) {
    const made = await forge(plans[name]);
    forged.set(name, { ...made, text: new TextDecoder().decode(made.bytes) });
  }
});

function aReceipt(name: Name) {
  const receipt = forged.get(name);
  if (receipt === undefined) throw new Error(`${name} was not forged`);
  return receipt;
}

/** Most changes leave the statement as it is: so its signature need not be computed anew each time. */
const verdicts = new Map<string, Promise<void>>();
const remembering: VerifySignature = (alg, jwk, message, signature) => {
  const question = JSON.stringify([alg, jwk, formatBase64url(message), formatBase64url(signature)]);
  const answer = verdicts.get(question) ?? verifySignature(alg, jwk, message, signature);
  verdicts.set(question, answer);
  return answer;
};

function judge(receipt: Uint8Array | string, trust: Trust): Promise<Verification> {
  return judgeReceipt(typeof receipt === 'string' ? utf8(receipt) : receipt, trust, remembering);
}

/** The places where a change was not refused. */
async function accepted(
  trust: Trust,
  changes: Iterable<readonly [place: string, receipt: Uint8Array | string]>,
): Promise<string[]> {
  const places: string[] = [];
  let tried = 0;
  for (const [place, receipt] of changes) {
    tried++;
    const { verdict } = await judge(receipt, trust);
    if (verdict !== 'does-not-match') places.push(place);
  }
  expect(tried).toBeGreaterThan(0);
  return places;
}

describe('the forged receipts', () => {
  it.each(names)('%s: is good as it is', async name => {
    const { bytes, trust, receipt } = aReceipt(name);
    const { verdict } = await judge(bytes, trust);
    expect(verdict).toBe(receipt.evidence === null ? 'not-yet-anchored' : 'matches');
  });
});

describe('a receipt', () => {
  it.each(names)('%s: is refused with any character of its text replaced', async name => {
    const { text, trust } = aReceipt(name);
    // A line by a key that the trust file does not know is free, but for its form.
    const [from, to] = rangeOf(text, `— ${logKeys.witness.key.name}`, '\\n');
    const places = await accepted(trust, replacedCharacters(text));
    expect(places.filter(at => Number(at) < from || Number(at) >= to)).toEqual([]);
    expect(places.length > 0).toBe(name === 'a proof-only receipt with a witness');
  });

  it.each(names)('%s: is refused with a bit of any byte of its values flipped', async name => {
    const { text, trust } = aReceipt(name);
    expect(await accepted(trust, flippedValues(text))).toEqual([]);
  });

  it.each(names)('%s: is refused with any bit flipped in its root or its log signature', async name => {
    const { text, trust } = aReceipt(name);
    expect(await accepted(trust, flippedNote(text))).toEqual([]);
  });

  it.each(names)('%s: is refused with any element left out, doubled, swapped or null', async name => {
    const { text, trust } = aReceipt(name);
    expect(await accepted(trust, changedArrays(JSON.parse(text)))).toEqual([]);
  });

  it.each(names)(
    '%s: is refused with any member left out, doubled, of another type or too many',
    async name => {
      const { text, trust, receipt } = aReceipt(name);
      // What DESIGN lets be left out: the record, and evidence as long as there is none.
      const optional = [
        ...(receipt.record === undefined ? [] : ['record left out']),
        ...(receipt.evidence === null ? [] : ['evidence null']),
      ];
      expect(await accepted(trust, changedMembers(JSON.parse(text)))).toEqual(optional.sort());
    },
  );
});

describe('a header on a development chain', () => {
  it('is bound by its form, its state root and its time, and by nothing else', async () => {
    const { bytes, trust } = await forge({ ...plans['a record on QBFT'], consensus: 'none' });
    const text = new TextDecoder().decode(bytes);
    const [header = ''] = JSON.parse(text).evidence.headers;
    const honest = await judge(bytes, trust);
    const stateRoot = formatBase64url(parseHeader(parseBase64url(header)).stateRoot);
    for (const [place, changed] of flippedValues(text, header)) {
      const verification = await judge(changed, trust);
      if (verification.verdict === 'does-not-match') continue;
      // It names another block, or another time of it: nobody vouches for either, and the verdict says so.
      expect(verification.finality, place).toBe('unproved');
      expect(verification.facts, place).toMatchObject({
        ...honest.facts,
        block: expect.any(Number),
        blockTime: expect.any(String),
        blockHash: expect.any(String),
      });
      const [changedHeader = ''] = JSON.parse(changed).evidence.headers;
      expect(formatBase64url(parseHeader(parseBase64url(changedHeader)).stateRoot), place).toBe(stateRoot);
    }
  });
});

function rangeOf(text: string, start: string, end: string): [number, number] {
  const from = text.indexOf(start);
  return from < 0 ? [0, 0] : [from, text.indexOf(end, from)];
}

/** For each byte of the text, that byte changed: to a neighbour, to the other case, to what is not UTF-8. */
function* replacedCharacters(text: string): Generator<readonly [string, Uint8Array]> {
  const bytes = utf8(text);
  const masks = [0x01, 0x20, 0x02, 0x80];
  for (let i = 0; i < bytes.length; i++) {
    const changed = bytes.slice();
    changed[i] = (changed[i] ?? 0) ^ (masks[i % masks.length] ?? 1);
    yield [String(new TextDecoder().decode(bytes.subarray(0, i)).length), changed];
  }
}

/**
 * For each byte of each base64url value, the value with one bit of that byte flipped, spelt canonically again. Values are what
 * stands between quotes, and the parts of a JWS.
 */
function* flippedValues(text: string, only?: string): Generator<readonly [string, string]> {
  const values = text.matchAll(/(?<=["."])[A-Za-z0-9_-]{20,}(?=["."])/g);
  for (const { 0: value, index } of values) {
    if (only !== undefined && value !== only) continue;
    const bytes = parseBase64url(value);
    for (let i = 0; i < bytes.length; i++) {
      const changed = bytes.slice();
      changed[i] = (changed[i] ?? 0) ^ (1 << (i % 8));
      yield [
        `${value} byte ${i}`,
        text.slice(0, index) + formatBase64url(changed) + text.slice(index + value.length),
      ];
    }
  }
}

/** The same for the base64 in the checkpoint, every bit: the root, and the last signature, which is the log's. */
function* flippedNote(text: string): Generator<readonly [string, string]> {
  const values = [...text.matchAll(/(?<= |\\n)[A-Za-z0-9+/]{40,}={0,2}(?=\\n)/g)];
  for (const match of [values[0], values.at(-1)]) {
    const { 0: value = '', index = 0 } = match ?? {};
    const bytes = parseBase64(value);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const changed = bytes.slice();
      const at = Math.floor(bit / 8);
      changed[at] = (changed[at] ?? 0) ^ (1 << (bit % 8));
      yield [
        `${value} bit ${bit}`,
        text.slice(0, index) + formatBase64(changed) + text.slice(index + value.length),
      ];
    }
  }
}

type Value = null | boolean | number | string | Value[] | { [name: string]: Value };

/** All places in a document: what stands there, and how to print the document with something else there. */
function* placesIn(
  value: Value,
  print: (changed: Value) => string = JSON.stringify,
  place = '',
): Generator<{ readonly place: string; readonly value: Value; readonly print: (changed: Value) => string }> {
  yield { place, value, print };
  if (value === null || typeof value !== 'object') return;
  for (const [name, inner] of Object.entries(value)) {
    const printInner = (changed: Value) =>
      print(Array.isArray(value) ? value.with(Number(name), changed) : { ...value, [name]: changed });
    yield* placesIn(inner, printInner, place === '' ? name : `${place}.${name}`);
  }
}

function* changedArrays(document: Value): Generator<readonly [string, string]> {
  for (const { place, value, print } of placesIn(document)) {
    if (!Array.isArray(value)) continue;
    for (const [i, item] of value.entries()) {
      yield [`${place}.${i} left out`, print(value.toSpliced(i, 1))];
      yield [`${place}.${i} doubled`, print(value.toSpliced(i, 0, item))];
      yield [`${place}.${i} null`, print(value.with(i, null))];
      const before = value[i - 1];
      if (before !== undefined)
        yield [`${place}.${i} swapped`, print(value.toSpliced(i - 1, 2, item, before))];
    }
  }
}

function* changedMembers(document: Value): Generator<readonly [string, string]> {
  for (const { place, value, print } of placesIn(document)) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) continue;
    const at = (name: string) => (place === '' ? name : `${place}.${name}`);
    yield [at('unknown'), print({ ...value, unknown: 1 })];
    yield [at('__proto__'), print({ ...value, placeholder: {} }).replace('"placeholder"', '"__proto__"')];
    for (const [name, member] of Object.entries(value)) {
      const { [name]: _, ...others } = value;
      yield [`${at(name)} left out`, print(others)];
      yield [`${at(name)} under another name`, print({ ...others, [name.toUpperCase()]: member })];
      if (member !== null) yield [`${at(name)} null`, print({ ...value, [name]: null })];
      for (const other of [true, 7, 'text', [], {}]) {
        if (
          typeof other === typeof member &&
          Array.isArray(other) === Array.isArray(member) &&
          member !== null
        )
          continue;
        yield [`${at(name)} ${JSON.stringify(other)}`, print({ ...value, [name]: other })];
      }
      const doubled = print({ ...value, placeholder: member });
      yield [`${at(name)} doubled`, doubled.replace('"placeholder"', JSON.stringify(name))];
      yield [`${at(name)} doubled with an escape`, doubled.replace('"placeholder"', escaped(name))];
    }
  }
}

/** A name in quotes, its first letter spelt as an escape. */
function escaped(name: string): string {
  return `"\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}"`;
}
