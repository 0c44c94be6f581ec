/** Moments as people read them, and what is no moment. */

import { describe, expect, it } from 'vitest';
import { isMoment, shortMoment } from '../../../service/web/view.ts';

describe('isMoment', () => {
  it.each(['2026-11-24T08:00:00Z', '2026-11-24T08:00:00.123+01:00', '1970-01-01T00:00:00Z'])(
    'takes %s',
    text => {
      expect(isMoment(text)).toBe(true);
    },
  );

  it.each([
    '1',
    '2026',
    'may 5',
    '2026-11-24T08:00:00',
    '2026-11-24 08:00',
    '2026-13-24T08:00:00Z',
    '253402300800000 ms since 1970',
    '',
  ])('does not take "%s", whatever a browser makes of it', text => {
    expect(isMoment(text)).toBe(false);
  });
});

describe('shortMoment', () => {
  it('leaves as it stands what no calendar has', () => {
    expect(shortMoment('253402300800000 ms since 1970', 'nl')).toBe('253402300800000 ms since 1970');
  });
});
