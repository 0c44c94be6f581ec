/** Signs for the verdicts: each has a shape of its own, so that none is told by its colour. */

import { type ComponentChild, h } from 'preact';
import type { Verdict } from '../../merkle/verification.ts';

const shapes: Readonly<Record<Verdict | 'busy', string>> = {
  // A tick, a cross, a clock, a question mark, three dots.
  matches: 'M14 25.5l7 7 13.5-16',
  'does-not-match': 'M16.5 16.5l15 15m0-15l-15 15',
  'not-yet-anchored': 'M24 14v10.5l7 4.5',
  'could-not-check': 'M18.5 19.5c0-3.4 2.4-5.5 5.6-5.5s5.4 2 5.4 4.9c0 4.4-5.4 4.6-5.4 8.9m0 5.6v.2',
  busy: 'M15 24h.2m8.7 0h.2m8.7 0h.2',
};

/** The outlines: a circle, an octagon that stops, a dashed circle that is not closed yet, a square. */
const outlines: Readonly<Record<Verdict | 'busy', string>> = {
  matches: 'M24 4a20 20 0 1 1 0 40a20 20 0 1 1 0-40z',
  'does-not-match': 'M16 4h16l12 12v16l-12 12h-16l-12-12v-16z',
  'not-yet-anchored': 'M24 4a20 20 0 1 1-14.1 5.9',
  'could-not-check': 'M10 5h28a5 5 0 0 1 5 5v28a5 5 0 0 1-5 5h-28a5 5 0 0 1-5-5v-28a5 5 0 0 1 5-5z',
  busy: 'M24 4a20 20 0 1 1 0 40a20 20 0 1 1 0-40z',
};

/** A verdict's sign. It is silent: the word stands beside it. */
export function sign(verdict: Verdict | 'busy'): ComponentChild {
  return h(
    'svg',
    { class: 'sign', viewBox: '0 0 48 48', 'aria-hidden': 'true', focusable: 'false' },
    h('path', { class: 'outline', d: outlines[verdict] }),
    h('path', { class: 'shape', d: shapes[verdict] }),
  );
}
