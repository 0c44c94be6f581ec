/** `GET /`: the ledger's own face, for those on a wall and those who look once. */

import type Router from '@koa/router';
import type { Ledger } from '../ledger.ts';
import type { Pulse } from '../pulse.ts';
import { chooseLanguage, type Language as PageLanguage } from '../web/settings.ts';
import { facePage } from './face/page.ts';
import { type Language, words } from './face/words.ts';
import { answerPage } from './html/shell.ts';
import { pageQuery } from './parameters.ts';
import { readOptionalQuery } from './query.ts';

export type FaceParts = {
  readonly pulse: Pick<Pulse, 'view'>;
  readonly ledger: Pick<Ledger, 'origin'>;
  /** The languages that the operator has switched on. */
  readonly languages: readonly PageLanguage[];
  readonly baseUrl?: string | undefined;
};

export function faceRoutes(router: Router, { pulse, ledger, baseUrl, languages }: FaceParts): void {
  // The face speaks fewer languages than the citizen's page.
  const on = languages.filter((language): language is Language => language in words);
  router.get('/', async ctx => {
    const { lang } = readOptionalQuery(ctx, pageQuery);
    const wanted = [...(lang === undefined ? [] : [lang]), ...ctx.acceptsLanguages()];
    const chosen = chooseLanguage(wanted, on);
    const language = on.find(each => each === chosen) ?? 'nl';
    ctx.vary('Accept-Language');
    ctx.set('Content-Language', language);
    const { origin } = ledger;
    answerPage(ctx, facePage(await pulse.view(), { origin, baseUrl, language, on }));
  });
}
