/** Lines of bytes, read one by one from a stream of any length: never more of it is held than one line and one chunk. */

const lineFeed = 0x0a;

/** A line, counted from 1. */
export type Line = {
  readonly number: number;
  /** Its bytes without the line feed; undefined where they are more than was allowed, and were read away. */
  readonly bytes: Uint8Array | undefined;
  /** How many bytes it has, without the line feed. */
  readonly lengthBytes: number;
  /** False for a last line that ends with the stream. */
  readonly isWhole: boolean;
};

/** @param maxBytes how long a line may be, without its line feed */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Line> {
  let number = 1;
  let pieces: Uint8Array[] = [];
  let lengthBytes = 0;
  const add = (piece: Uint8Array): void => {
    lengthBytes += piece.length;
    if (lengthBytes > maxBytes) pieces = [];
    else pieces.push(piece);
  };
  const end = (isWhole: boolean): Line => {
    const bytes = lengthBytes > maxBytes ? undefined : joined(pieces, lengthBytes);
    const line = { number: number++, bytes, lengthBytes, isWhole };
    pieces = [];
    lengthBytes = 0;
    return line;
  };

  for await (const chunk of chunks) {
    let start = 0;
    for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, start)) {
      add(chunk.subarray(start, at));
      start = at + 1;
      yield end(true);
    }
    if (start < chunk.length) add(chunk.subarray(start));
  }
  if (lengthBytes > 0) yield end(false);
}

/** A plain copy: a line outlives its chunk, which would otherwise be held as long as the line. */
function joined(pieces: readonly Uint8Array[], lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
