/** Watchers of the log's stream, as a browser is one: what has come, and how it ended. */

import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { until } from './connections.ts';
import type { World } from './world.ts';

export type Event = { readonly name: string; readonly id: string; readonly data: Record<string, unknown> };

export type Watching = {
  readonly req: ClientRequest;
  readonly answer: IncomingMessage;
  readonly text: () => string;
  readonly events: () => readonly Event[];
  /** How the answer ended: as a whole, or cut off. */
  readonly ended: Promise<'whole' | 'cut'>;
};

/** Opens the stream, and waits until it is told how things are. */
export async function watching(
  world: Pick<World, 'port'> & { readonly localAddress?: string },
  headers: Readonly<Record<string, string>> = {},
): Promise<Watching> {
  const { port, localAddress } = world;
  const req = request({
    host: '127.0.0.1',
    port,
    localAddress,
    path: '/v1/log/stream',
    headers,
    agent: false,
  });
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  req.once('response', resolve).once('error', reject).end();
  const answer = await promise;
  let text = '';
  answer.on('data', chunk => {
    text += chunk.toString();
  });
  const ended = new Promise<'whole' | 'cut'>(done => {
    answer.once('end', () => done('whole')).once('error', () => done('cut'));
  });
  const watched = { req, answer, text: () => text, events: () => eventsIn(text), ended };
  await until(() => watched.events().some(({ name }) => name === 'health'));
  return watched;
}

export function eventsIn(text: string): readonly Event[] {
  return text.split('\n\n').flatMap(block => {
    const [, name] = /^event: (.+)$/m.exec(block) ?? [];
    const [, id] = /^id: (.+)$/m.exec(block) ?? [];
    const [, data] = /^data: (.+)$/m.exec(block) ?? [];
    return name === undefined || id === undefined || data === undefined
      ? []
      : [{ name, id, data: JSON.parse(data) }];
  });
}

/** Lets so many seconds pass for those who watch. */
export async function pass(world: Pick<World, 'ticks'>, seconds = 1): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    for (const tick of [...world.ticks]) tick();
    // A look reads the store: some turns.
    for (let turn = 0; turn < 5; turn++) await setImmediate();
  }
}
