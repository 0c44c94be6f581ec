/** The log's tiles as the service serves them, so that a client makes the paths of its records itself. */

import { type Checkpoint, readCheckpoint } from '../../merkle/checkpoint.ts';
import { ProofError } from '../../merkle/errors.ts';
import { proveInclusion } from '../../merkle/prove.ts';
import { parseTile, type Tile, tilePath } from '../../merkle/tiles.ts';
import { verifyInclusion } from '../../merkle/verify.ts';
import { readable } from './answers.ts';
import type { Requests } from './requests.ts';

/** Half a megabyte of hashes, and some times as much that is built over them. */
const tilesKept = 64;

/** Tiles, each fetched once as long as it is in use. Nothing in them is believed: what is made of them is verified. */
export class LogTiles {
  readonly #requests: Requests;
  readonly #kept = new Map<string, Promise<readonly Uint8Array[]>>();

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /**
   * The inclusion path of an entry, verified against a checkpoint.
   *
   * @throws {ProofError} if the entry is not in the checkpoint's tree, or the tiles do not prove it
   * @throws {UnavailableError} {RefusedError} if the tiles cannot be had
   */
  async path(
    index: number,
    leafHash: Uint8Array,
    { size, root }: Checkpoint,
  ): Promise<readonly Uint8Array[]> {
    if (index >= size)
      throw new ProofError(`entry ${index} is not covered by the checkpoint of size ${size}`);
    const path = await proveInclusion(index, size, tiles => Promise.all(tiles.map(tile => this.#tile(tile))));
    verifyInclusion({ index, size, leafHash, path, root });
    return path;
  }

  /** The same rows are given again, so that the trees over them are built once. */
  #tile(tile: Tile): Promise<readonly Uint8Array[]> {
    const name = tilePath(tile);
    const kept = this.#kept.get(name) ?? this.#fetch(tile);
    // What was used last is dropped last.
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > tilesKept && oldest !== undefined) this.#kept.delete(oldest);
    kept.catch(() => this.#kept.delete(name));
    return kept;
  }

  async #fetch(tile: Tile): Promise<readonly Uint8Array[]> {
    const name = tilePath(tile);
    const { bytes } = await this.#requests.bytes(`/log/${name}`);
    if (bytes.length !== 32 * tile.width)
      throw new ProofError(`${name} has ${bytes.length} bytes, want ${32 * tile.width}`);
    return parseTile(bytes);
  }
}

/** The newest checkpoint that the service has signed. @throws {ProofError} if it is another log's */
export async function newestCheckpoint(requests: Requests, origin: string): Promise<string> {
  const { body } = await requests.text('/log/checkpoint');
  requireOrigin(body, origin);
  return body;
}

/** Reads a checkpoint that must be of a log. @throws {ProofError} if it is another log's, or none */
export function requireOrigin(signedNote: string, origin: string): Checkpoint {
  const checkpoint = readable('checkpoint', () => readCheckpoint(signedNote));
  if (checkpoint.origin !== origin)
    throw new ProofError(`the checkpoint is of "${checkpoint.origin}", and this log is "${origin}"`);
  return checkpoint;
}
