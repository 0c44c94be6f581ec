import type { Context } from 'koa';
import { describe, expect, test } from 'vitest';
import { absoluteUrl } from '../../../service/http/answers.ts';

describe('absoluteUrl', () => {
  const at = (localAddress: string, localPort = 8080) =>
    // Only the socket is asked: that is what the function promises.
    ({ req: { socket: { localAddress, localPort } } }) as unknown as Context;

  test.each([
    ['127.0.0.1', 'http://127.0.0.1:8080/v1/log'],
    ['::ffff:10.0.0.7', 'http://10.0.0.7:8080/v1/log'],
    ['::1', 'http://[::1]:8080/v1/log'],
    ['2001:db8::ffff:1', 'http://[2001:db8::ffff:1]:8080/v1/log'],
  ])('is at the address %s that the connection came to', (address, url) => {
    expect(absoluteUrl(at(address), undefined, '/v1/log')).toBe(url);
  });

  test('is under the configured base URL if there is one', () => {
    expect(absoluteUrl(at('10.0.0.7'), 'https://ledger.example/z', '/v1/log')).toBe(
      'https://ledger.example/z/v1/log',
    );
  });
});
