/** Source files as the house rules see them: what they import, and what they do that only some files may. */

import { posix } from 'node:path';
import { parseAst } from 'vitest/node';

/** What a file brings in: another file of ours by its path from the root, a package, or a part of Node. */
export type Import =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'package'; readonly name: string; readonly subpath: string }
  | { readonly kind: 'node'; readonly name: string };

export type Source = {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  /** Spelt as the rules ask for them: `process.env`, `Date.now`, `Buffer`, `it.only`, `as any`. */
  readonly uses: ReadonlySet<string>;
};

type Node = { readonly type: string } & Readonly<Record<string, unknown>>;

/** Reads a file with a real parser, so that neither a comment nor an unusual spelling hides an import. */
export function parseSource(path: string, text: string): Source {
  const imports: Import[] = [];
  const uses = new Set<string>();
  const program: unknown = parseAst(text, { lang: path.endsWith('.ts') ? 'ts' : 'js' });
  for (const node of nodesIn(program)) {
    const specifier = importedBy(node);
    if (specifier !== undefined) imports.push(resolve(path, specifier));
    for (const use of usesOf(node)) uses.add(use);
  }
  return { path, text, imports, uses };
}

function* nodesIn(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const item of value) yield* nodesIn(item);
  else if (isNode(value)) {
    yield value;
    for (const child of Object.values(value)) yield* nodesIn(child);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** The module that a node names, in any of the ways there are; `(computed)` where that is only known at run time. */
function importedBy(node: Node): string | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return isNode(node['source']) ? literal(node['source']) : undefined;
    case 'TSExternalModuleReference':
      return literal(node['expression']);
    case 'CallExpression': {
      const callee = nameOf(node['callee']);
      const loads = callee === 'require' || callee === 'import.meta.resolve';
      return loads && Array.isArray(node['arguments']) ? literal(node['arguments'][0]) : undefined;
    }
    // new URL('./worker.ts', import.meta.url) names a file for a worker; other files are data.
    case 'NewExpression': {
      const [target, base] = Array.isArray(node['arguments']) ? node['arguments'] : [];
      if (nameOf(node['callee']) !== 'URL' || nameOf(base) !== 'import.meta.url') return undefined;
      const file = literal(target);
      return /\.m?[jt]s$/.test(file) ? file : undefined;
    }
    default:
      return undefined;
  }
}

function literal(value: unknown): string {
  return isNode(value) && value.type === 'Literal' && typeof value['value'] === 'string'
    ? value['value']
    : '(computed)';
}

function resolve(from: string, specifier: string): Import {
  if (specifier.startsWith('.')) return { kind: 'file', path: posix.join(posix.dirname(from), specifier) };
  if (specifier.startsWith('node:')) return { kind: 'node', name: specifier };
  const parts = specifier.split('/');
  const name = parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  return { kind: 'package', name, subpath: parts.slice(name.split('/').length).join('/') };
}

/** `a.b.c` for a chain of names, also when spelt `a['b']` or with `globalThis` before it. */
function nameOf(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  if (value.type === 'Identifier') return String(value['name']);
  if (value.type === 'MetaProperty') return `${nameOf(value['meta'])}.${nameOf(value['property'])}`;
  if (value.type === 'ChainExpression') return nameOf(value['expression']);
  if (value.type !== 'MemberExpression') return undefined;
  const object = nameOf(value['object']);
  const property = value['computed'] === true ? literal(value['property']) : nameOf(value['property']);
  if (object === undefined || property === undefined) return undefined;
  return object === 'globalThis' ? property : `${object}.${property}`;
}

function* usesOf(node: Node): Generator<string> {
  const name = nameOf(node);
  if (name !== undefined) yield name;
  // const { env } = process;
  if (node.type === 'VariableDeclarator' && isNode(node['id']) && node['id'].type === 'ObjectPattern')
    for (const property of nodesIn(node['id']['properties']))
      if (property.type === 'Property') yield `${nameOf(node['init'])}.${nameOf(property['key'])}`;
  // import { env } from 'node:process';
  if (node.type === 'ImportSpecifier') yield `import ${nameOf(node['imported'])}`;
  if (node.type === 'NewExpression' && Array.isArray(node['arguments']) && node['arguments'].length === 0)
    yield `new ${nameOf(node['callee'])}()`;
  if (
    node.type === 'TSAsExpression' &&
    isNode(node['typeAnnotation']) &&
    node['typeAnnotation'].type === 'TSAnyKeyword'
  )
    yield 'as any';
}

/** All files of ours that a file brings in, with what those bring in, and so on; without the file itself unless it is in a circle. */
export function reach(sources: readonly Source[], from: string): ReadonlySet<string> {
  const byPath = new Map(sources.map(source => [source.path, source]));
  const reached = new Set<string>();
  const open = [from];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    for (const imported of byPath.get(path)?.imports ?? []) {
      if (imported.kind !== 'file' || reached.has(imported.path)) continue;
      reached.add(imported.path);
      open.push(imported.path);
    }
  }
  return reached;
}
