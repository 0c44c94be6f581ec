/** The rules of the house that a machine can check, DESIGN 6's arrows among them. Each lists what breaks it. */

import { type Import, reach, type Source } from './sources.ts';

export type Rule = {
  /** The rule as a claim, which is also its test's name. */
  readonly claim: string;
  readonly faults: (sources: readonly Source[]) => readonly string[];
};

/** Who records and keeps: nobody who checks or submits may depend on it. */
const ledgerSide = /^service\/(store|ledger|log-reader|recovery|creation|growth|layout|records)\.ts$/;

/** What runs in the citizen's browser. */
const webPage = /^service\/web\/.*\.ts$/;

const clockChanceAndConnection = [
  'Date.now',
  'new Date()',
  'performance.now',
  'setTimeout',
  'setInterval',
  'Math.random',
  'crypto.getRandomValues',
  'crypto.randomUUID',
  'fetch',
  'WebSocket',
  'console',
];

/** @param dependencies the packages that come along with an installed zegel, from package.json */
export function houseRules(dependencies: readonly string[]): readonly Rule[] {
  return [
    {
      claim: 'merkle/ imports nothing of ours but merkle/',
      faults: imports(/^merkle\//, i => i.kind === 'file' && !i.path.startsWith('merkle/')),
    },
    {
      claim: 'merkle/ has nothing that only Node has',
      faults: both(
        imports(/^merkle\//, i => i.kind === 'node'),
        uses(/^merkle\//, ['Buffer', 'process', 'require', 'global']),
      ),
    },
    {
      claim: 'merkle/ imports noble by exact subpaths, and merkletreejs in prove.ts only',
      faults: imports(/^merkle\//, (i, { path }) => i.kind === 'package' && !isCryptography(i, path)),
    },
    {
      claim: 'merkle/ has no clock, no chance and no connection',
      faults: uses(/^merkle\//, clockChanceAndConnection),
    },
    {
      claim: 'what verifies does not bring in merkletreejs',
      faults: sources =>
        [...reach(sources, 'merkle/verification.ts')]
          .filter(path => sources.some(source => source.path === path && source.imports.some(isMerkletreejs)))
          .map(path => `merkle/verification.ts reaches ${path}, which imports merkletreejs`),
    },
    {
      claim: 'service/http never imports the store',
      faults: imports(/^service\/http\//, i => i.kind === 'file' && i.path === 'service/store.ts'),
    },
    {
      claim: 'nothing but main.ts imports service/http',
      faults: imports(/^(service\/(?!http\/|main\.ts$)|scripts\/)/, i => isUnder(i, 'service/http/')),
    },
    {
      claim: 'the store imports nothing of the service but its errors and hashes',
      faults: imports(
        /^service\/store\.ts$/,
        i => isUnder(i, 'service/') && !isUnder(i, 'service/errors.ts') && !isUnder(i, 'service/hashing.ts'),
      ),
    },
    {
      claim: 'the auditor, the client and the web page never reach the store or the ledger',
      faults: reaches(/^service\/(audit|client|web)\//, ledgerSide),
    },
    {
      claim: 'the client imports nothing but merkle/, itself and Node, so that it can be used anywhere',
      faults: imports(
        /^service\/client\//,
        i => i.kind === 'package' || (i.kind === 'file' && !/^(merkle|service\/client)\//.test(i.path)),
      ),
    },
    {
      claim: "the citizen's page imports nothing but merkle/, itself, Preact and cryptography",
      faults: imports(
        webPage,
        i =>
          i.kind === 'node' ||
          (i.kind === 'file' && !/^(merkle|service\/web)\//.test(i.path)) ||
          (i.kind === 'package' && i.name !== 'preact' && !isCryptography(i, '')),
      ),
    },
    {
      claim: "the citizen's page makes no markup of text, runs none and stores nothing",
      faults: lines(webPage, text =>
        /innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|DOMParser|\beval\b|new Function|Storage\b|indexedDB|\.cookie\b/.test(
          text,
        ),
      ),
    },
    {
      claim: 'the auditor imports nothing of the service but itself and rpc.ts, which can lose but not lie',
      faults: imports(
        /^service\/audit\//,
        i => i.kind === 'file' && !/^(merkle\/|service\/audit\/|service\/rpc\.ts$)/.test(i.path),
      ),
    },
    {
      claim: 'nothing in service/ imports main.ts, which wires it',
      faults: imports(/^service\//, i => isUnder(i, 'service/main.ts')),
    },
    {
      claim: 'service/ imports no scripts',
      faults: imports(/^service\//, i => isUnder(i, 'scripts/')),
    },
    {
      claim: 'no source imports a test',
      faults: imports(/^(merkle|service|scripts)\//, i => isUnder(i, 'test/')),
    },
    {
      claim: 'only main.ts and scripts read the environment',
      faults: uses(/^(merkle\/|service\/(?!main\.ts$))/, ['process.env', 'import env', 'import process']),
    },
    {
      claim: 'sources import only packages that are installed with them',
      faults: imports(
        /^(merkle|service|scripts)\/.*\.ts$/,
        (i, { path }) =>
          i.kind === 'package' &&
          !dependencies.includes(i.name) &&
          // The page is installed as it was built, and only who has the sources builds it.
          !(webPage.test(path) && i.name === 'preact') &&
          !(path === 'scripts/bundle.ts' && i.name === 'vite'),
      ),
    },
    {
      claim: 'bootstrap and the command import no package, for there may be none yet',
      faults: imports(
        /^scripts\/.*\.mjs$/,
        (i, { path }) =>
          (i.kind === 'file' && !isUnder(i, 'scripts/bootstrap/')) ||
          // The one import that names its target at run time: bootstrap's target.
          (i.kind === 'package' && path !== 'scripts/bootstrap/prepare.mjs'),
      ),
    },
    {
      claim: 'contracts know contracts only',
      faults: sources =>
        under(sources, /^contracts\//).flatMap(({ path, text }) =>
          [...text.matchAll(/^\s*import\s(?:[^'";]*from\s*)?["']([^"']+)["']/gm)]
            .filter(([, from = '']) => !/^(\.\/|@openzeppelin\/contracts\/).*\.sol$/.test(from))
            .map(([, from]) => `${path} imports ${from}`),
        ),
    },
    {
      claim: 'every source opens with a comment that introduces it',
      faults: lines(
        /^(merkle|service|scripts)\/.*\.ts$/,
        text => !text.startsWith('/** ') && !/^\/\*\*\n \* \S/.test(text),
      ),
    },
    {
      claim: 'no source has more than 350 lines',
      faults: lines(/^(merkle|service|scripts|contracts)\//, text => text.split('\n').length > 351),
    },
    {
      claim: 'no test is left running alone',
      faults: uses(/^test\//, ['it.only', 'test.only', 'describe.only']),
    },
    { claim: 'nothing is cast to any', faults: uses(/\.ts$/, ['as any']) },
    {
      claim: 'no file names a path of one machine',
      faults: lines(/./, text => /(?<![\w./:~-])\/(?:work|home|root|Users|tmp)\/[\w.]/.test(text)),
    },
  ];
}

function isCryptography(imported: Import, path: string): boolean {
  if (isMerkletreejs(imported)) return path === 'merkle/prove.ts';
  return (
    imported.kind === 'package' &&
    ['@noble/hashes', '@noble/curves'].includes(imported.name) &&
    imported.subpath.endsWith('.js')
  );
}

function isMerkletreejs(imported: Import): boolean {
  return imported.kind === 'package' && imported.name === 'merkletreejs';
}

function isUnder(imported: Import, place: string): boolean {
  return imported.kind === 'file' && imported.path.startsWith(place);
}

type Faults = Rule['faults'];

function under(sources: readonly Source[], places: RegExp): readonly Source[] {
  return sources.filter(({ path }) => places.test(path));
}

/** Faults are imports of a wrong kind, in files of some places. */
function imports(places: RegExp, isWrong: (imported: Import, by: Source) => boolean): Faults {
  return sources =>
    under(sources, places).flatMap(source =>
      source.imports
        .filter(imported => isWrong(imported, source))
        .map(imported => `${source.path} imports ${'path' in imported ? imported.path : imported.name}`),
    );
}

/** Faults are files that are brought in, at whatever distance. */
function reaches(places: RegExp, wrong: RegExp): Faults {
  return sources =>
    under(sources, places).flatMap(({ path }) =>
      [...reach(sources, path)].filter(other => wrong.test(other)).map(other => `${path} reaches ${other}`),
    );
}

/** Faults are names that a file uses. */
function uses(places: RegExp, wrong: readonly string[]): Faults {
  return sources =>
    under(sources, places).flatMap(source =>
      wrong.filter(name => source.uses.has(name)).map(name => `${source.path} uses ${name}`),
    );
}

/** Faults are files whose text is not as it should be. */
function lines(places: RegExp, isWrong: (text: string) => boolean): Faults {
  return sources =>
    under(sources, places)
      .filter(({ text }) => isWrong(text))
      .map(({ path }) => path);
}

function both(...all: readonly Faults[]): Faults {
  return sources => all.flatMap(faults => faults(sources));
}
