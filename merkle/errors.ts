/** The two ways in which the core refuses: input that is not in its format, and a proof that does not hold. */

/** One fault: where it is, and what is wrong there. */
export type Issue = {
  /** A path in the input, such as `record.key.x` or `line 3`; empty for the input as a whole. */
  readonly place: string;
  readonly message: string;
};

/** Input that is not in the one form that its format allows. Names every fault that was found, each with its place. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    super(issues.map(({ place, message }) => (place === '' ? message : `${place}: ${message}`)).join('; '));
    this.issues = issues;
  }

  /** A single fault. */
  static at(place: string, message: string): FormatError {
    return new FormatError([{ place, message }]);
  }
}

/** Well-formed evidence that does not prove what it claims. Thrown, never returned: a `false` can be forgotten. */
export class ProofError extends Error {
  override readonly name = 'ProofError';
}
