/** One bootstrap at a time in a folder. */

import { mkdirSync, readlinkSync, rmdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf, say, shown } from './words.mjs';

/**
 * Does work that no other bootstrap does at the same time in this folder.
 *
 * @template T
 * @param {string} lock
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(lock, work) {
  mkdirSync(dirname(lock), { recursive: true });
  let told = false;
  while (!takeLock(lock)) {
    const holder = holderOf(lock);
    if (holder > 0 && !isRunning(holder)) {
      clearLock(lock, holder);
      continue;
    }
    if (holder > 0 && !told) {
      say(
        `waiting for process ${holder}, which prepares this folder; if it is no zegel, remove ${shown(lock)}`,
      );
      told = true;
    }
    await new Promise(resolve => setTimeout(resolve, 200));
  }
  try {
    return await work();
  } finally {
    unlinkSync(lock);
  }
}

/**
 * The lock is a link whose target is its holder's process id, because a link comes into being together with its target.
 *
 * @param {string} lock
 * @returns {boolean} whether it is ours now
 */
function takeLock(lock) {
  try {
    symlinkSync(String(process.pid), lock);
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return false;
  }
}

/**
 * Removes the lock of a process that has ended. Of two that find it, the slower must not remove what the faster has put in its place,
 * so that only one of them may look again and remove.
 *
 * @param {string} lock
 * @param {number} holder
 */
function clearLock(lock, holder) {
  const clearing = `${lock}.clearing`;
  try {
    mkdirSync(clearing);
  } catch {
    return;
  }
  try {
    if (holderOf(lock) === holder) unlinkSync(lock);
  } finally {
    rmdirSync(clearing);
  }
}

/**
 * @param {string} lock
 * @returns {number} 0 where nobody holds it any more
 */
function holderOf(lock) {
  try {
    return Number(readlinkSync(lock));
  } catch {
    return 0;
  }
}

/** @param {number} id */
function isRunning(id) {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
