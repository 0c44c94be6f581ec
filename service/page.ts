/**
 * The citizen's page, put together: one HTML file with its script, its style and its settings inside.
 *
 * Its policy allows that script and that style by their hashes, the worker that the script makes of itself, questions to one service, and
 * nothing else: nothing is fetched, nothing is sent, and no text can become a script (Trusted Types).
 */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { textsIn } from './web/languages.ts';
import { formatSettings, type Settings, settingsId } from './web/settings.ts';

/** What the bundler makes. */
export type Bundle = {
  /** A digest of what it was made of. */
  readonly sources: string;
  readonly script: string;
  readonly style: string;
};

/** Where the bundle is: in a checkout among what is made there, in the package beside the built sources. */
export const bundlePlace = new URL(
  import.meta.url.endsWith('.ts') ? '../.zegel/page.json' : '../page.json',
  import.meta.url,
);

/** Reads the bundle; undefined where nobody has built it. */
export async function readBundle(): Promise<Bundle | undefined> {
  const text = await readFile(bundlePlace, 'utf8').catch(() => undefined);
  // Our own bundler wrote it.
  return text === undefined ? undefined : (JSON.parse(text) as Bundle);
}

/** A deployment's trust file as text, byte for byte; null where there is none that is text. */
export async function trustText(deploymentFolder: string): Promise<string | null> {
  try {
    const bytes = await readFile(join(deploymentFolder, 'trust.json'));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // The page then says that it has none, and asks for the visitor's own.
    return null;
  }
}

/** A page and the policy that it must be served with, which is also in it, for when it lies on a disk. */
export type Page = { readonly html: string; readonly policy: string };

export function putTogether(bundle: Bundle, settings: Settings): Page {
  // Neither a script nor a style may hold what would end its element.
  const script = bundle.script.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
  const style = bundle.style.replaceAll('</', '<\\/');
  const language = settings.language ?? 'nl';
  const texts = textsIn(language);
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    'worker-src blob:',
    `connect-src ${settings.service === null ? "'self'" : new URL(settings.service).origin}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types zegel',
  ].join('; ');
  const html = `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${texts.title}</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon)}">
<style>${style}</style>
</head>
<body>
<div id="page"></div>
<noscript><main class="page"><h1 class="question">${texts.question}</h1><p class="lead">${texts.noScript}</p></main></noscript>
<script type="application/json" id="${settingsId}">${formatSettings(settings)}</script>
<script>${script}</script>
</body>
</html>
`;
  return { html, policy };
}

const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#5b7fb0" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"><circle cx="12" cy="12" r="10.5"/><path d="M7.5 8h9l-9 8h9"/></svg>';

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
