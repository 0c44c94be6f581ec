import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '../../merkle/bytes.ts';
import { parseEvent, recordKind } from '../../merkle/event.ts';
import { anEvent } from '../helpers/builders.ts';
import { faultsOf } from '../helpers/refusals.ts';

const limits = { maxBytes: 65_536 };
const parse = (members: Readonly<Record<string, unknown>> = {}) => parseEvent(anEvent(members), limits);
const faults = (members: Readonly<Record<string, unknown>>) => faultsOf(() => parse(members));

describe('recordKind', () => {
  it('is what the event says, or audit where it says nothing', () => {
    expect(recordKind(anEvent({ recordkind: 'transaction' }))).toBe('transaction');
    expect(recordKind(anEvent({ recordkind: 'audit' }))).toBe('audit');
    expect(recordKind(anEvent({ recordkind: undefined }))).toBe('audit');
    expect(recordKind(utf8('{}'))).toBe('audit');
    expect(recordKind(utf8('{"data":{"recordkind":"transaction"}}'))).toBe('audit');
  });

  it("asks nothing else: what else is in an event is not a verifier's business", () => {
    expect(recordKind(utf8('{"recordkind":"transaction","ID":[1e400,"\\uffff"],"time":7}'))).toBe(
      'transaction',
    );
  });

  it.each<[string, string, string]>([
    ['null', '{"recordkind":null}', 'recordkind: want a string, got null'],
    ['a number', '{"recordkind":1}', 'recordkind: want a string, got the number 1'],
    ['another word', '{"recordkind":"chain"}', 'recordkind: "chain" is not transaction or audit'],
    ['another case', '{"recordkind":"Audit"}', 'recordkind: "Audit" is not transaction or audit'],
    ['an empty word', '{"recordkind":""}', 'recordkind: "" is not transaction or audit'],
    [
      'two words',
      '{"recordkind":"audit","recordkind":"transaction"}',
      ': member "recordkind" stands twice (at character 34)',
    ],
    [
      'two, one with an escape',
      '{"recordkind":"audit","recordk\\u0069nd":"audit"}',
      ': member "recordkind" stands twice (at character 39)',
    ],
    ['an array', '[]', ': event is not a JSON object'],
    ['nothing', '', ': want a JSON value (at character 0)'],
  ])('refuses %s', (_, text, fault) => {
    expect(faultsOf(() => recordKind(utf8(text)))).toEqual([fault]);
    expect(faultsOf(() => parseEvent(utf8(text), limits))).toContain(fault);
  });
});

describe('parseEvent', () => {
  it('gives what the ledger goes by', () => {
    expect(parse({ subject: 'permit 7' })).toEqual({
      id: 'decision-1',
      source: 'https://permits.example/decisions',
      type: 'example.permits.decision.granted',
      time: '2026-11-24T08:00:00Z',
      recordkind: 'transaction',
      subject: 'permit 7',
    });
    expect('subject' in parse()).toBe(false);
  });

  it('accepts every member that CloudEvents knows, extensions of every type, and members that are null', () => {
    parse({
      datacontenttype: 'application/json',
      dataschema: 'https://schemas.example/v1?strict',
      data: { nested: [null, 1.5] },
    });
    parse({
      extension1: 'text',
      flag: true,
      count: -2_147_483_648,
      other: 2_147_483_647,
      none: null,
      empty: '',
    });
    parse({ subject: null, datacontenttype: null, dataschema: null, data: null, data_base64: null });
    parse({ averyveryverylongattributename: 1, 1: 'a digit first' });
    // The example of the specification, with recordkind left out.
    parse({
      recordkind: undefined,
      comexampleextension1: 'value',
      comexampleothervalue: 5,
      datacontenttype: 'text/xml',
      data: '<much wow="xml"/>',
    });
  });

  it('accepts nothing that a verifier would refuse', () => {
    const value = fc.oneof(
      fc.constantFrom('transaction', 'audit', 'Audit', '', null, 1, []),
      fc.json().map(text => JSON.parse(text)),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('recordkind', 'subject', 'data', 'ext'), value), members => {
        const bytes = anEvent({ recordkind: undefined, ...members });
        try {
          parseEvent(bytes, limits);
        } catch {
          return;
        }
        expect(parseEvent(bytes, limits).recordkind).toBe(recordKind(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it('names every fault at once', () => {
    const text =
      '{"specversion":"0.3","source":":","time":"yesterday","recordkind":"chain","subject":"","BAD":1,"data":1,"data_base64":"?","ext":{}}';
    expect(faultsOf(() => parseEvent(utf8(text), limits))).toEqual([
      ': attribute "id" is missing',
      'source: ":" is not a URI reference',
      ': attribute "type" is missing',
      'time: "yesterday" is not an RFC 3339 time such as 2026-11-24T08:00:00Z',
      'recordkind: "chain" is not transaction or audit',
      'subject: is empty',
      'specversion: "0.3" is not 1.0',
      'data_base64: "?" is not canonical base64',
      'data: stands beside data_base64',
      ': member "BAD" is not named in lower-case letters and digits, as attributes are',
      'ext: is an array or an object, which no attribute is',
    ]);
  });

  it('counts bytes, not characters', () => {
    const event = anEvent({ data: 'é' });
    expect(parseEvent(event, { maxBytes: event.length }).id).toBe('decision-1');
    expect(faultsOf(() => parseEvent(event, { maxBytes: event.length - 1 }))).toEqual([
      `: event has ${event.length} bytes, want at most ${event.length - 1}`,
    ]);
  });

  it.each<[string, Uint8Array, string]>([
    ['an array of events', concatBytes(utf8('['), anEvent(), utf8(']')), ': event is not a JSON object'],
    [
      'a byte order mark',
      concatBytes(utf8('\ufeff'), anEvent()),
      ': want a JSON value, not a byte order mark (at character 0)',
    ],
    [
      'two events',
      concatBytes(anEvent(), utf8('\n'), anEvent()),
      `: something follows the JSON value (at character ${anEvent().length + 1})`,
    ],
    [
      'UTF-16',
      Uint8Array.from(Buffer.from('{"id":"1"}', 'utf16le')),
      ': want a member name (at character 1)',
    ],
    [
      'a lone surrogate',
      utf8('{"data":["\\ud83d"]}'),
      'data[0]: lone surrogate in a string (at character 17)',
    ],
    [
      'depth 33',
      utf8(`{"data":${'['.repeat(32)}${']'.repeat(32)}}`),
      `data${'[0]'.repeat(31)}: nested deeper than 32 (at character 39)`,
    ],
  ])('refuses %s', (_, bytes, fault) => {
    expect(faultsOf(() => parseEvent(bytes, limits))).toEqual([fault]);
  });

  it.each(['id', 'source', 'type', 'time', 'specversion'])('requires %s, as text that is not empty', name => {
    expect(faults({ [name]: undefined })).toEqual([`: attribute "${name}" is missing`]);
    expect(faults({ [name]: null })).toEqual([`: attribute "${name}" is missing`]);
    expect(faults({ [name]: '' })).toEqual([`${name}: is empty`]);
    expect(faults({ [name]: 7 })).toEqual([`${name}: want a string, got the number 7`]);
    expect(faults({ [name]: {} })).toEqual([`${name}: want a string, got an object`]);
  });

  it.each(['subject', 'dataschema', 'datacontenttype'])('wants text in %s, where it is there', name => {
    expect(faults({ [name]: '' })).toEqual([`${name}: is empty`]);
    expect(faults({ [name]: true })).toEqual([`${name}: want a string, got a boolean`]);
  });

  it.each([
    ['NUL', '\u0000', 'U+0000'],
    ['a line feed', 'a\nb', 'U+000A'],
    ['an escape', '\u001b[2J', 'U+001B'],
    ['DEL', '\u007f', 'U+007F'],
    ['a C1 control', '\u0085', 'U+0085'],
    ['a noncharacter', '\ufdd0', 'U+FDD0'],
    ['the last of a plane', '\uffff', 'U+FFFF'],
    ['the last of a far plane', '\u{1fffe}', 'U+1FFFE'],
  ])('refuses %s in any attribute, and accepts it in data', (_, text, codePoint) => {
    for (const name of ['id', 'source', 'type', 'time', 'subject', 'datacontenttype', 'dataschema', 'ext'])
      expect(faults({ [name]: text })).toEqual([
        `${name}: has the character ${codePoint}, which an attribute may not have`,
      ]);
    parse({ data: { [text]: text } });
  });

  it.each(['specversion', 'recordkind'])('never echoes what a terminal would obey, from %s', name => {
    const [fault = ''] = faults({ [name]: '\u001b[2J\r\n\u202e' });
    expect(fault).toMatch(/^[^\p{Cc}\p{Cf}]+$/u);
  });

  it.each(['Id', 'data_base', 'my-ext', 'my.ext', '', 'é', '__proto__', 'a b', 'ext\n', '\u001b[2J'])(
    'refuses an attribute named "%s"',
    name => {
      const [fault = '', ...others] = faultsOf(() =>
        parseEvent(
          utf8(`${Buffer.from(anEvent()).toString().slice(0, -1)},${JSON.stringify(name)}:"v"}`),
          limits,
        ),
      );
      expect(fault).toMatch(
        /^: member "[ -~é]*" is not named in lower-case letters and digits, as attributes are$/,
      );
      expect(others).toEqual([]);
    },
  );

  it.each([
    ['an array', '[]', 'is an array or an object, which no attribute is'],
    ['an object', '{"a":1}', 'is an array or an object, which no attribute is'],
    ['a fraction', '1.0', '1.0 is not a whole number of 32 bits'],
    ['an exponent', '1e3', '1e3 is not a whole number of 32 bits'],
    ['2^31', '2147483648', '2147483648 is not a whole number of 32 bits'],
    ['-2^31 - 1', '-2147483649', '-2147483649 is not a whole number of 32 bits'],
    ['2^32, which is 0 in 32 bits', '4294967296', '4294967296 is not a whole number of 32 bits'],
    ['a huge number', '9'.repeat(100), `${'9'.repeat(40)}… is not a whole number of 32 bits`],
  ])('refuses %s as an extension', (_, text, fault) => {
    const event = `${Buffer.from(anEvent()).toString().slice(0, -1)},"ext":${text}}`;
    expect(faultsOf(() => parseEvent(utf8(event), limits))).toEqual([`ext: ${fault}`]);
  });
});

describe('time', () => {
  it.each([
    '2026-11-24T08:00:00Z',
    '2026-11-24t08:00:00z',
    '2026-11-24T08:00:00.1Z',
    '2026-11-24T08:00:00.123456789012345Z',
    '2026-11-24T23:59:59+23:59',
    '2026-11-24T08:00:00-00:00',
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '2024-02-29T00:00:00Z',
    '2000-02-29T00:00:00Z',
    '1990-12-31T23:59:60Z',
    '1990-12-31T15:59:60-08:00',
    '2017-01-01T00:59:60+01:00',
    '2015-07-01T05:29:60.5+05:30',
  ])('accepts %s', time => {
    expect(parse({ time }).time).toBe(time);
  });

  it.each([
    '2026-11-24',
    '2026-11-24T08:00Z',
    '2026-11-24T08:00:00',
    '2026-11-24 08:00:00Z',
    '2026-11-24T08:00:00.Z',
    '2026-11-24T08:00:00,5Z',
    '2026-11-24T08:00:00+0100',
    '2026-11-24T08:00:00+01',
    '2026-11-24T08:00:00+24:00',
    '2026-11-24T08:00:00+01:60',
    '2026-11-24T24:00:00Z',
    '2026-11-24T08:60:00Z',
    '2026-11-24T08:00:61Z',
    '2026-11-24T08:00:60Z',
    '2026-11-30T23:58:60Z',
    '2026-11-29T23:59:60Z',
    '2026-12-31T23:59:60+01:00',
    '2026-00-24T08:00:00Z',
    '2026-13-24T08:00:00Z',
    '2026-11-00T08:00:00Z',
    '2026-11-31T08:00:00Z',
    '2026-02-29T08:00:00Z',
    '1900-02-29T08:00:00Z',
    '26-11-24T08:00:00Z',
    '+002026-11-24T08:00:00Z',
    '2026-W48-2T08:00:00Z',
    ' 2026-11-24T08:00:00Z',
    '２026-11-24T08:00:00Z',
    '1795507200000',
    'Tue, 24 Nov 2026 08:00:00 GMT',
  ])('refuses %s', time => {
    expect(faults({ time })).toEqual([
      `time: "${time}" is not an RFC 3339 time such as 2026-11-24T08:00:00Z`,
    ]);
  });
});

describe('source and dataschema', () => {
  // The examples of RFC 3986 section 1.1.2, of CloudEvents, and the corners of the grammar. All are absolute URIs.
  const absolute = [
    'ftp://ftp.is.co.za/rfc/rfc1808.txt',
    'http://www.ietf.org/rfc/rfc2396.txt',
    'ldap://[2001:db8::7]/c=GB?objectClass?one',
    'mailto:John.Doe@example.com',
    'news:comp.infosystems.www.servers.unix',
    'tel:+1-816-555-1212',
    'telnet://192.0.2.16:80/',
    'urn:oasis:names:specification:docbook:dtd:xml:4.1.2',
    'urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66',
    'https://user:pass@host:/%C3%A9;v=1/?q=/?',
    'http://[v1.fe:80]/',
    'file:///etc/hosts',
    'a:',
    'a+b-c.d:e//f',
    'a://',
  ];
  const references = [
    '/cloudevents/spec/pull/123',
    '1-555-123-4567',
    '//host/path',
    '?query',
    '#fragment',
    '.',
    '../a:b',
    './a:b',
    'a/b:c',
    'a?b:c',
    '*',
    'https://a.example/x#y',
  ];

  it.each(absolute)('both accept %s', uri => {
    parse({ source: uri, dataschema: uri });
  });

  it.each(references)('a source may be %s, which as a dataschema is refused', uri => {
    expect(parse({ source: uri }).source).toBe(uri);
    expect(faults({ dataschema: uri })).toEqual([
      `dataschema: "${uri}" is not an absolute URI (which has no fragment)`,
    ]);
  });

  it.each([
    ':',
    ':a',
    '1a:b',
    'a b',
    'é',
    'https://é.example/',
    '%',
    '%4',
    '%zz',
    'a%',
    '<a>',
    '"a"',
    'a\\b',
    'a^b',
    '{a}',
    'a|b',
    '`',
    'http://[::1',
    'http://::1]/',
    'http://[]/',
    'http://[g::]/',
    'http://host:80a/',
    'http://a@b@c/',
    'a#b#c',
    'a/[b]',
  ])('both refuse %s', uri => {
    expect(faults({ source: uri })).toHaveLength(1);
    expect(faults({ dataschema: uri })).toHaveLength(1);
  });

  it('are read in time that grows with the length only', () => {
    const started = performance.now();
    for (const uri of [
      'a'.repeat(60_000),
      `a://${'a'.repeat(60_000)}`,
      `${'/a'.repeat(30_000)}^`,
      `a:${'%aa'.repeat(20_000)}%`,
      `//${'a:'.repeat(30_000)}@@`,
    ])
      try {
        parse({ source: uri });
      } catch {}
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

describe('datacontenttype and data', () => {
  it.each([
    'application/json',
    'Application/JSON; charset=utf-8',
    'application/cloudevents+json',
    'text/plain;charset="utf-8; \\"quoted\\""',
    'application/vnd.example.v1+xml; a=b; c=d',
    'multipart/mixed; boundary=gc0p4Jq0M2Yt08j34c0p',
    "x-!#$%&'*+-.^_`{|}~/y",
  ])('accept the media type %s', datacontenttype => {
    parse({ datacontenttype });
  });

  it.each([
    'json',
    'application/',
    '/json',
    'application/json;',
    'application/json; charset',
    'application/json; =a',
    'application/json, text/plain',
    'application/json;charset="a',
    'a/b/c',
    'a b/c',
    'é/a',
    'text/plain;a=é',
  ])('refuse the media type %s', datacontenttype => {
    expect(faults({ datacontenttype })).toHaveLength(1);
  });

  it('want text in data unless the media type says JSON', () => {
    for (const datacontenttype of [
      'application/json',
      'APPLICATION/JSON;v=1',
      'text/json',
      'a/b+json',
      'a/b+JSON; c=d',
      undefined,
    ])
      for (const data of [1, {}, [], 'text', true, null]) parse({ datacontenttype, data });
    for (const datacontenttype of [
      'text/plain',
      'application/xml',
      'a/json2',
      'a/jsonb',
      'json/a',
      'a/+json+xml',
      'a/xml;b=c+json',
    ]) {
      parse({ datacontenttype, data: 'text' });
      parse({ datacontenttype });
      for (const data of [1, {}, [], true, null])
        expect(faults({ datacontenttype, data })).toEqual([
          `data: is not a string, but datacontenttype is ${datacontenttype}`,
        ]);
    }
  });

  it('want canonical base64 in data_base64, and then no data', () => {
    for (const data_base64 of ['', 'AA==', 'AAAA', '+/+/']) parse({ data_base64 });
    for (const data_base64 of ['AA', 'AB==', '-_-_', 'AAA A', '?'])
      expect(faults({ data_base64 })).toHaveLength(1);
    expect(faults({ data_base64: 7 })).toEqual(['data_base64: want a string, got the number 7']);
    expect(faults({ data_base64: 'AA==', data: null })).toEqual(['data: stands beside data_base64']);
    expect(faults({ data_base64: '', data: 1 })).toEqual(['data: stands beside data_base64']);
    parse({ data_base64: null, data: 1 });
  });
});
