/** `zegel page`: writes the citizen's page as a file, for a web site, a disk or a stick. */

import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { utf8 } from '../merkle/bytes.ts';
import { fingerprint, parseTrust } from '../merkle/trust.ts';
import { putTogether, readBundle } from '../service/page.ts';
import { buildPage } from './bundle.ts';
import { addCommand, CommandError, readInput } from './command.ts';

export function addPage(program: Command): void {
  addCommand(
    program,
    'page',
    "write the citizen's page, which checks receipts in any browser, also from a disk",
    { uses: ['languages', 'baseUrl', 'anchorIntervalMs'] },
    async ({ config, output }, _, flags) => {
      const trust = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
        await readInput(String(flags['trust'])),
      );
      parseTrust(utf8(trust));
      await buildPage();
      const bundle = await readBundle();
      if (bundle === undefined) throw new CommandError(2, noBundle);
      const { languages, baseUrl, anchorIntervalMs } = config;
      const settings = { trust, service: baseUrl ?? null, languages, language: null, anchorIntervalMs };
      const out = String(flags['out']);
      const { html } = putTogether(bundle, settings);
      await writeFile(out, html);
      const print = fingerprint(utf8(trust));
      const asks = baseUrl === undefined ? 'the address that it is served from' : baseUrl;
      output.result(
        [
          `${out}: ${Buffer.byteLength(html)} bytes, with the trust file of SHA-256 ${print}`,
          `it asks ${asks} for receipts by their codes, and nobody for anything else`,
        ],
        { page: out, bytes: Buffer.byteLength(html), trust: print, service: baseUrl ?? null },
      );
      return 0;
    },
  )
    .requiredOption('--trust <file>', 'the trust file that is put in')
    .option('--out <file>', 'where it goes', 'verify.html');
}

const noBundle =
  'the page is not built, and what builds it is not installed: type npm ci --include=dev, then the same command again';
