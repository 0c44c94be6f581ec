/** `GET /v1/log`: what the log is, how far it has come, and where its contracts are. */

import type Router from '@koa/router';
import { formatHex0x } from '../../merkle/bytes.ts';
import { formatVerifierKey } from '../../merkle/note.ts';
import type { Ledger } from '../ledger.ts';
import type { LogSizes } from '../metrics.ts';
import { answerJson } from './answers.ts';
import type { AboutLog } from './openapi/answers.ts';
import { noQuery } from './query.ts';

export type LogParts = {
  readonly ledger: Pick<Ledger, 'origin' | 'logId' | 'verifierKey' | 'genesis' | 'genesisDocument'>;
  readonly sizes: () => LogSizes;
  /** A hint for auditors. One that is left out shows as another storage root. */
  readonly contracts: readonly {
    readonly name: string;
    readonly address: Uint8Array;
    readonly block: number;
  }[];
  /** The version of this program. */
  readonly version: string;
};

export function logRoutes(router: Router, { ledger, sizes, contracts, version }: LogParts): void {
  const { origin, genesis } = ledger;
  const fixed = {
    origin,
    logId: formatHex0x(ledger.logId),
    verifierKey: formatVerifierKey(ledger.verifierKey),
    genesis: ledger.genesisDocument,
    chainId: genesis.chainId,
  };

  router.get('/v1/log', noQuery, ctx => {
    const about: AboutLog = {
      ...fixed,
      sizes: sizes(),
      contracts: contracts.map(({ name, address, block }) => ({
        name,
        address: formatHex0x(address),
        block,
      })),
      software: { name: 'zegel', version },
    };
    answerJson(ctx, about, 'no-cache');
  });
}
