/** The preference to wait (RFC 7240 section 4.3): how long an answer may be held back for the anchor. */

/** Nobody is kept waiting longer than this, whatever they prefer. */
export const longestWaitS = 60;

/** The seconds that `Prefer: wait=N` asks for, at most `longestWaitS`; undefined without one. What we don't know is ignored, as the RFC wants. */
export function preferredWaitS(header: string): number | undefined {
  for (const preference of header.slice(0, 1_000).split(',')) {
    const seconds = /^wait\s*=\s*"?([0-9]{1,9})"?$/i.exec((preference.split(';')[0] ?? '').trim())?.[1];
    if (seconds !== undefined) return Math.min(Number(seconds), longestWaitS);
  }
  return undefined;
}
