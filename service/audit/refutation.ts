/** A fault after which nothing further can be judged: thrown where it is found, reported where the audit of the chain ends. */

import type { Finding } from './findings.ts';

export class Refutation extends Error {
  override readonly name = 'Refutation';
  readonly finding: Finding;

  constructor(finding: Finding) {
    super(`${finding.code}: ${finding.message}`);
    this.finding = finding;
  }
}
