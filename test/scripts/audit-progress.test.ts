import { expect, it } from 'vitest';
import { progressOn } from '../../scripts/audit-progress.ts';

it('tells each part by itself, with its rate and the time left from where this run began', () => {
  const lines: string[] = [];
  let now = 0;
  const { tell, end } = progressOn({ isTTY: false, write: text => lines.push(text) }, () => now);
  tell('chain', 100, 1_000);
  now = 6_000;
  tell('chain', 700, 1_000);
  tell('log', 500_000, 1_000_000);
  now = 16_000;
  tell('log', 600_000, 1_000_000);
  tell('records', 0, undefined);
  now = 26_000;
  tell('records', 512, undefined);
  end();
  expect(lines).toEqual([
    expect.stringMatching(/^700 blocks of the chain, 70 %, 100\/s, 0:0[34] left\n$/),
    expect.stringMatching(/^600,000 entries of the log, 60 %, 10,000\/s, 0:4[01] left\n$/),
    '512 lines of the export, 51/s\n',
  ]);
});

it('writes one line over on a terminal', () => {
  const written: string[] = [];
  let now = 0;
  const { tell, end } = progressOn({ isTTY: true, write: text => written.push(text) }, () => now);
  for (let done = 1; done <= 3; done++) {
    now += 300;
    tell('log', done, 9);
  }
  tell('records', 1, undefined);
  end();
  expect(written.join('')).not.toContain('\n');
  expect(written.at(-1)).toBe('\r\u001b[K');
});
