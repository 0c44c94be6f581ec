/** Lines of a file of any length, each within a limit, with never more in hand than one line and one chunk. */

import { concatBytes } from '../../merkle/bytes.ts';

const lineFeed = 0x0a;

/**
 * Yields each line without its line feed; undefined for one that is longer than `maxBytes`, which is read away. A line that lies in one
 * chunk is a view of it.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array | undefined> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  const add = (piece: Uint8Array): void => {
    length += piece.length;
    pieces = length > maxBytes ? [] : [...pieces, piece];
  };
  const take = (): Uint8Array | undefined => {
    const [first] = pieces;
    const line = length > maxBytes ? undefined : pieces.length === 1 ? first : concatBytes(...pieces);
    pieces = [];
    length = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, from)) {
      add(chunk.subarray(from, at));
      from = at + 1;
      yield take();
    }
    if (from < chunk.length) add(chunk.subarray(from));
  }
  if (length > 0) yield take();
}
