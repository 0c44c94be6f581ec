/** Builders of the things that tests need: each is good by default, and breaks where the test says. */

import { formatBase64url, utf8 } from '../../merkle/bytes.ts';
import { thumbprint } from '../../merkle/jwk.ts';
import type { Algorithm } from '../../merkle/signature.ts';
import { formatStatement, type StatementType, signingInput } from '../../merkle/statement.ts';
import { keyFor, type PrivateJwk, publicJwk, signAs } from './keys.ts';

/** The origin of the log that statements are for, unless a test says otherwise. */
export const testOrigin = 'ledger.example/2026';

/** The bytes of an event. A member that is set to undefined is left out. */
export function anEvent(members: Readonly<Record<string, unknown>> = {}): Uint8Array {
  return utf8(
    JSON.stringify({
      specversion: '1.0',
      id: 'decision-1',
      source: 'https://permits.example/decisions',
      type: 'example.permits.decision.granted',
      time: '2026-11-24T08:00:00Z',
      recordkind: 'transaction',
      ...members,
    }),
  );
}

/** A statement over an event, signed by the test key of its algorithm unless another is given. */
export function aStatement({
  alg = 'ES256',
  key = keyFor(alg),
  kid = formatBase64url(thumbprint(publicJwk(key))),
  typ = 'zegel+jws',
  aud = testOrigin,
  payload = anEvent(),
}: {
  alg?: Algorithm;
  key?: PrivateJwk;
  kid?: string;
  typ?: StatementType;
  aud?: string;
  payload?: Uint8Array;
} = {}): string {
  const input = signingInput({ alg, kid, typ, aud }, payload);
  return formatStatement(input, signAs(alg, key, input));
}
