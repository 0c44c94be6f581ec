/** The order in which findings are told, however an audit came to them. */

import { type Finding, type FindingCode, findingCodes, severityOf } from './findings.ts';

const ranks = new Map(Object.keys(findingCodes).map((code, i) => [code, i]));

/** Faults before notices, then in the order in which the codes are documented. */
export function rankOf(code: FindingCode): number {
  return (ranks.get(code) ?? 0) + (severityOf(code) === 'fault' ? 0 : ranks.size);
}

/** By code, then by place. */
export function inOrder(a: Finding, b: Finding): number {
  const placeOf = ({ place }: Finding) => [place.block ?? -1, place.size ?? -1, place.index ?? -1];
  const [x, y] = [placeOf(a), placeOf(b)];
  const [block, size, index] = x.map((number, i) => number - (y[i] ?? 0));
  return (
    rankOf(a.code) - rankOf(b.code) ||
    index ||
    size ||
    block ||
    (a.message < b.message ? -1 : Number(a.message > b.message))
  );
}
