import { describe, expect, test } from 'vitest';
import { networkOf, Parties } from '../../../service/http/addresses.ts';

describe('networkOf', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8::1:2:3:4:5', '2001:db8:0:1::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('of %s is %s', (address, network) => expect(networkOf(address)).toBe(network));
});

describe('Parties', () => {
  const many = Array.from({ length: 10_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
  const parties = () => new Parties<{ isBusy: boolean }>(() => ({ isBusy: false }));

  test('are the same for one network, and others for another', () => {
    const known = parties();
    const first = known.at('2001:db8::1');
    expect(known.at('2001:db8::ffff')).toBe(first);
    expect(known.at('2001:db8:0:1::1')).not.toBe(first);
  });

  test('are forgotten beyond ten thousand, the one first that was seen longest ago', () => {
    const known = parties();
    const [first, second] = [known.at('192.0.2.1'), known.at('192.0.2.2')];
    for (const address of many.slice(2)) known.at(address);
    expect(known.at('192.0.2.1')).toBe(first);
    known.at('192.0.2.3');
    expect(known.size).toBe(10_000);
    expect(known.at('192.0.2.1')).toBe(first);
    expect(known.at('192.0.2.2')).not.toBe(second);
  });

  test('are not forgotten while something of theirs is under way', () => {
    const known = parties();
    const busy = known.at('192.0.2.1');
    busy.isBusy = true;
    for (const address of many) known.at(address);
    expect(known.at('192.0.2.1')).toBe(busy);
    expect(known.size).toBe(10_000);
  });
});
