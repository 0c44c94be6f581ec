/** An answer to a retry that fits together in itself is still no proof where its key is not the one that signed. */

import { expect, it } from 'vitest';
import { commitmentOf, formatEntry } from '../../../merkle/entry.ts';
import { recordKind } from '../../../merkle/event.ts';
import { thumbprint } from '../../../merkle/jwk.ts';
import { leafHash } from '../../../merkle/tree.ts';
import { recordedAs } from '../../../service/client/acknowledgement.ts';
import { anEvent, aStatement, testOrigin } from '../../helpers/builders.ts';
import { keyFor, publicJwk } from '../../helpers/keys.ts';

const key = publicJwk(keyFor('ES256'));
const event = anEvent();
const statement = aStatement({ payload: event });
const salt = new Uint8Array(32).fill(7);

/** What a service says that has put the entry under a key of its choice. */
function answerUnder(recordKey: typeof key) {
  const time = Date.parse('2026-11-24T08:00:00.000Z');
  const commitment = commitmentOf(salt, event, statement);
  const entry = formatEntry({ kind: recordKind(event), time, keyId: thumbprint(recordKey), commitment });
  return { leafHash: leafHash(entry), index: 1, time, salt, record: { statement, salt, key: recordKey } };
}

it('takes a retry of the very statement under the key that signed it, and under no other', async () => {
  const sent = { statement, key, event };
  await expect(recordedAs(sent, answerUnder(key), testOrigin)).resolves.toMatchObject({ index: 1 });
  const other = answerUnder(publicJwk(keyFor('ES256K')));
  await expect(recordedAs(sent, other, testOrigin)).rejects.toThrow('another key than the one that signed');
});
