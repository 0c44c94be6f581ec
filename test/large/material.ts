/** What the large upload sends: rounds of lines, made while they are sent, and the answers that they must get. */

import { randomBytes } from 'node:crypto';
import { concatBytes, utf8 } from '../../merkle/bytes.ts';
import { formatBatch, signBatch } from '../../service/client/batch.ts';
import { type StatementSigner, signStatement } from '../../service/client/signer.ts';

/** Lines that are sent together, and how many answers of each status they get. */
export type Round = { readonly bytes: Uint8Array; readonly answers: Readonly<Record<number, number>> };

/** Events of a batch, and single statements, in one round; some four megabytes. */
const perRound = { batched: 400, singles: 100, refused: 20 } as const;

const eventBytes = 8_000;

/** Rounds without end. Every fourth is followed by all of it again, every eighth by its batch with another secret. */
export async function* rounds(
  name: string,
  origin: string,
  signer: StatementSigner,
): AsyncGenerator<Round, never, undefined> {
  for (let i = 0; ; i++) {
    const batched = await signBatch(events(`${name}-${i}-b`, perRound.batched), origin, signer, randomBytes);
    const batch = formatBatch(batched);
    const singles = await Promise.all(
      events(`${name}-${i}-s`, perRound.singles).map(async event =>
        line({ statement: await signStatement(event, origin, signer) }),
      ),
    );
    const count = perRound.batched + perRound.singles;
    const good = concatBytes(batch, ...singles);
    yield { bytes: good, answers: { 201: count } };
    yield refused(singles[0] ?? good);
    if (i % 4 === 3) yield { bytes: good, answers: { 200: count } };
    if (i % 8 === 7) {
      const replay = formatBatch({ ...batched, secret: randomBytes(32) });
      yield { bytes: replay, answers: { 400: perRound.batched } };
    }
  }
}

/** Lines that are refused, each for another reason, and one that is too long. */
function refused(single: Uint8Array): Round {
  const text = Buffer.from(single).toString();
  const forged = utf8(text.replace(/.{20}"}\n$/, `${'A'.repeat(20)}"}\n`));
  const unreadable = ['\n', '[]\n', '{"statement":7}\n', '{"statement":"a.b"}\n', '{"statement":"\xff"}\n'];
  const bad = Array.from({ length: perRound.refused }, (_, i) =>
    i % 6 === 5 ? forged : Buffer.from(unreadable[i % 6] ?? '\n', 'latin1'),
  );
  const long = utf8(`{"statement":"${'a'.repeat(200_000)}"}\n`);
  const forgeries = Math.floor(perRound.refused / 6);
  return {
    bytes: concatBytes(...bad, long),
    answers: { 400: perRound.refused - forgeries, 403: forgeries, 413: 1 },
  };
}

function events(prefix: string, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const event = {
      specversion: '1.0',
      id: `${prefix}-${i}`,
      source: 'https://example.org/large',
      type: 'org.example.large',
      time: '2026-11-24T08:00:00Z',
      // Random, so that no compression makes it smaller than it is.
      data: randomBytes(eventBytes / 2).toString('hex'),
    };
    return utf8(JSON.stringify(event));
  });
}

function line(members: unknown): Uint8Array {
  return utf8(`${JSON.stringify(members)}\n`);
}
