/** The catalogue of problems: each with its status and title, what it means and what to do, in the order of their statuses. */

import { type Guidance, guidance, type ProblemName } from './guidance.ts';
import { type Problem, problemTypes, typePrefix } from './problems.ts';
import { unparsedTypes } from './server.ts';

export type ListedProblem = Pick<Problem, 'type' | 'status' | 'title'> &
  Guidance & { readonly name: ProblemName };

/** A problem's status and title by its name; a request that is too slow has one type, before and after it can be read. */
const known = new Map([...unparsedTypes, ...problemTypes].map(problem => [problem.type, problem]));

/** Every problem that the service can answer. */
export const catalogue: readonly ListedProblem[] = Object.entries(guidance).map(([name, told]) => {
  const problem = known.get(typePrefix + name);
  if (problem === undefined) throw new Error(`no problem is called ${name}`);
  // The keys of the table are the names.
  return { ...problem, ...told, name: name as ProblemName };
});

/** The problem of a name. */
export function listedProblem(name: ProblemName): ListedProblem {
  const found = catalogue.find(problem => problem.name === name);
  if (found === undefined) throw new Error(`no problem is called ${name}`);
  return found;
}

/** The row of ONBOARDING.md's table. */
export function onboardingRow({ name, status, means, toDo, again }: ListedProblem): string {
  return `| \`${name}\` | ${status} | ${means} ${toDo} | ${again} |`;
}
