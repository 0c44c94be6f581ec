/** Which packages of the lock file are not there. */

import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What decides which of a lock file's packages belong on a machine.
 *
 * @typedef {{ os: string, cpu: string, libc: string }} Machine
 * @typedef {{ os?: string[], cpu?: string[], libc?: string[] }} Limits
 * @typedef {Limits & { version?: string, dev?: boolean, optional?: boolean, devOptional?: boolean }} Locked
 */

/** @returns {Machine} */
export function thisMachine() {
  return { os: process.platform, cpu: process.arch, libc: isMusl() ? 'musl' : 'glibc' };
}

/** Whether this Node was built for musl: the loader's name stands at the head of the executable. */
export function isMusl() {
  if (process.platform !== 'linux') return false;
  const head = Buffer.alloc(4096);
  const file = openSync(process.execPath, 'r');
  readSync(file, head, 0, head.length, 0);
  closeSync(file);
  return head.includes('/ld-musl-');
}

/**
 * The packages of package-lock.json that belong on this machine and are not there. npm writes down what it installed, and forgets it
 * when it begins anew, so its own list beside the folders tells all: never installed, interrupted, of an older lock file, of another
 * machine, or left out by an npm under an old Node (which says nothing about it).
 *
 * @param {string} root
 * @param {Machine} machine
 * @param {{ dev: boolean }} wanted whether packages count that only developers need
 * @returns {string[]} their paths under root
 */
export function missingPackages(root, machine, { dev }) {
  const wanted = lockedPackages(join(root, 'package-lock.json'));
  const installed = installedPackages(root);
  const missing = [];
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || (entry.dev && !dev) || !belongsOn(machine, entry)) continue;
    const there = installed[path]?.version === entry.version && existsSync(join(root, path, 'package.json'));
    if (!there) missing.push(path);
  }
  return missing;
}

/**
 * @param {string} file
 * @returns {Record<string, Locked>}
 */
function lockedPackages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

/**
 * npm's list, or an empty one where there is none, or one that npm was killed over.
 *
 * @param {string} root
 */
function installedPackages(root) {
  try {
    return lockedPackages(join(root, 'node_modules', '.package-lock.json'));
  } catch {
    return {};
  }
}

/**
 * @param {Machine} machine
 * @param {Locked} entry
 */
function belongsOn(machine, { optional, devOptional, os, cpu, libc }) {
  // An optional package without a machine of its own comes and goes with whoever asks for it, which then counts.
  if ((optional || devOptional) && !os && !cpu && !libc) return false;
  return allows(os, machine.os) && allows(cpu, machine.cpu) && allows(libc, machine.libc);
}

/**
 * npm's rule for `os`, `cpu` and `libc`: a list of what fits, or of what does not.
 *
 * @param {readonly string[] | undefined} list
 * @param {string} value
 */
function allows(list, value) {
  if (!list) return true;
  if (list.includes(`!${value}`)) return false;
  return list.includes(value) || list.every(item => item.startsWith('!'));
}
