import { describe, expect, it } from 'vitest';
import { formatBase64url, utf8 } from '../../../merkle/bytes.ts';
import { readFragment, readGiven } from '../../../service/web/given.ts';

const leaf = '0123456789abcdef'.repeat(4);
const receipt = utf8('{"version":1}');
const asLink = formatBase64url(receipt);

describe('readFragment', () => {
  it('reads a leaf hash and a receipt', () => {
    expect(readFragment(`#leaf=${leaf}`)).toEqual({ kind: 'leaf', leaf });
    expect(readFragment(`#receipt=${asLink}`)).toEqual({ kind: 'receipt', receipt, from: 'link' });
  });

  it.each(['', '#', '#main', '#leaf', `#other=${leaf}`])('asks for nothing with "%s"', fragment => {
    expect(readFragment(fragment)).toBeUndefined();
  });

  it.each([`#leaf=${leaf.slice(1)}`, '#leaf=', `#receipt=${asLink}=`, '#receipt=a', '#receipt=%7B'])(
    'finds that %s is damaged',
    fragment => {
      expect(readFragment(fragment)).toEqual({ kind: 'fault', reason: 'link-damaged' });
    },
  );
});

describe('readGiven', () => {
  it.each([
    leaf,
    leaf.toUpperCase(),
    ` ${leaf}\n`,
    leaf.replace(/(.{4})/g, '$1 '),
    `https://ledger.example/verify#leaf=${leaf}`,
    `leaf=${leaf}`,
    `See https://ledger.example/verify?lang=fr#leaf=${leaf.slice(0, 20)}\r\n${leaf.slice(20)}`,
  ])('takes the code from "%s"', text => {
    expect(readGiven(text)).toEqual({ kind: 'leaf', leaf });
  });

  it('takes a receipt from a link, also one that was broken into lines, and from its text as it stands', () => {
    const broken = `https://ledger.example/verify#receipt=${asLink.slice(0, 5)}\n${asLink.slice(5)}`;
    expect(readGiven(broken)).toEqual({ kind: 'receipt', receipt, from: 'link' });
    const text = ' {"version": 1}\n';
    expect(readGiven(text)).toEqual({ kind: 'receipt', receipt: utf8(text), from: 'text' });
  });

  it.each(['hello', leaf.slice(1), `${leaf}0`, 'https://ledger.example/verify', ''])(
    'does not recognise "%s"',
    text => {
      expect(readGiven(text)).toEqual({ kind: 'fault', reason: 'not-recognised' });
    },
  );
});
