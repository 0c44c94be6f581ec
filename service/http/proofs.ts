/** `GET /v1/proofs/inclusion` and `/v1/proofs/consistency`: proofs about sizes that the log has signed. */

import type Router from '@koa/router';
import { formatBase64url, formatHex } from '../../merkle/bytes.ts';
import type { Issue } from '../../merkle/errors.ts';
import { LedgerError } from '../errors.ts';
import type { Ledger } from '../ledger.ts';
import { answerJson } from './answers.ts';
import type { ConsistencyProof, InclusionProof } from './openapi/answers.ts';
import { consistencyQuery, inclusionQuery } from './parameters.ts';
import { malformed, readQuery } from './query.ts';

export type ProofParts = { readonly ledger: Pick<Ledger, 'signed' | 'read'> };

export function proofRoutes(router: Router, { ledger }: ProofParts): void {
  router.get('/v1/proofs/inclusion', async ctx => {
    const { leafHash, size } = readQuery(ctx, inclusionQuery);
    requireSizes({ size });

    const index = await ledger.read.findLeaf(leafHash);
    if (index === undefined || index >= ledger.signed().size)
      throw new LedgerError('RECORD_NOT_FOUND', 'no entry of this log has this leaf hash');
    if (index >= size)
      throw malformed('the query', [
        { place: 'query size', message: `entry ${index} is outside a tree of ${size}` },
      ]);
    const root = await ledger.read.rootAt(size);
    const path = await ledger.read.proveInclusion(index, leafHash, { size, root });
    const proof: InclusionProof = {
      leafHash: formatHex(leafHash),
      index,
      size,
      path: path.map(formatBase64url),
    };
    answerJson(ctx, proof, 'immutable');
  });

  router.get('/v1/proofs/consistency', async ctx => {
    const { first, second } = readQuery(ctx, consistencyQuery);
    requireSizes({ first, second });
    if (first > second)
      throw malformed('the query', [
        { place: 'query first', message: `${first} is greater than second, ${second}` },
      ]);

    const [firstRoot, secondRoot] = await Promise.all([
      ledger.read.rootAt(first),
      ledger.read.rootAt(second),
    ]);
    const path = await ledger.read.proveConsistency(first, second, firstRoot, secondRoot);
    const proof: ConsistencyProof = { first, second, path: path.map(formatBase64url) };
    answerJson(ctx, proof, 'immutable');
  });

  function requireSizes(sizes: Readonly<Record<string, number>>): void {
    const signed = ledger.signed().size;
    const issues: Issue[] = [];
    for (const [name, size] of Object.entries(sizes)) {
      if (size < 1 || size > signed)
        issues.push({
          place: `query ${name}`,
          message: `${size} is not a size from 1 to ${signed}, the signed one`,
        });
    }
    if (issues.length > 0) throw malformed('the query', issues);
  }
}
