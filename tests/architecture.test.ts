/**
 * The tree tests itself: imports run down one table, a folder is entered by its mod.ts, the heart has no socket, file
 * or clock of its own, nothing lies dead, and documents name only what exists.
 */
import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import ts from 'typescript';
import {
  isFolder,
  isTestFile,
  isThere,
  parse,
  projectFiles,
  read,
  root,
  walk,
  type Import,
} from './architecture/source-tree.ts';

/** Who may import whom. `ports` stands for the types of broker/ports.ts. */
const mayImport: Record<string, string> = {
  base: '',
  codec: 'base',
  topics: 'base',
  session: 'base codec topics',
  broker: 'base codec topics session',
  transport: 'base',
  client: 'base codec topics transport',
  bench: 'base codec client',
  conf: 'base',
  pki: 'base',
  listeners: 'base transport ports',
  security: 'base topics ports',
  storage: 'base ports',
  plugins: 'base topics security ports',
  observability: 'base ports',
  bridge: 'base codec topics client ports',
  cluster: 'base codec topics transport ports',
  admin: 'base pki security observability ports',
  server:
    'base codec topics session broker transport client conf pki listeners security storage plugins observability bridge cluster admin ports',
  embed: 'base topics broker client conf plugins observability bridge server ports',
  cli: 'base topics client bench conf pki security storage observability server admin',
};

/** Packages from the registry, and the only folders that may know them. */
const packages: Record<string, string> = {
  '@peculiar/x509': 'pki',
  'reflect-metadata': 'pki',
  bcryptjs: 'security',
  mariadb: 'security',
  pg: 'security',
  ioredis: 'security',
  jose: 'security',
  ldapts: 'security',
  ws: 'transport',
};

/** The heart is handed link, store, clock and log: one process can run many brokers in simulated time. */
const heart = ['codec', 'topics', 'session', 'broker'];
const notInTheHeart = {
  modules:
    /^node:(net|tls|fs|fs\/promises|http|https|dgram|dns|child_process|cluster|worker_threads|os|timers|process|perf_hooks)$/,
  names: new Set(['Date', 'performance', 'setTimeout', 'setInterval', 'console', 'process', 'fetch']),
};

/**
 * Doors beside mod.ts: `zancudo --help` must not load the whole server to know its exit codes, nor a broker what only
 * an import or a backup needs.
 */
const sideDoors = [
  'src/admin/enrolment-mqtt/mod.ts',
  'src/admin/enrolment/mod.ts',
  'src/plugins/types.ts',
  'src/security/database/mod.ts',
  'src/security/dynamic-security/mod.ts',
  'src/security/users/mod.ts',
  'src/observability/otel/mod.ts',
  'src/observability/recorder/mod.ts',
  'src/server/devices/mod.ts',
  'src/server/explain/mod.ts',
  'src/server/process/mod.ts',
  'src/storage/moving/mod.ts',
];

/** Started by name and not imported. */
const entryPoints = ['src/cli/main.ts', 'src/embed/mod.ts'];

const allFiles = projectFiles();
const typescript = allFiles.filter(path => path.endsWith('.ts'));
const sources = new Map(typescript.map(path => [path, parse(path)]));
const product = [...sources.values()].filter(source => source.path.startsWith('src/') && !isTestFile(source.path));
const folderOf = (path: string): string => path.split('/')[1] ?? '';
const none = (found: string[], remedy: string): void => assert.deepEqual(found, [], remedy);

function isAllowed({ from, to, typeOnly }: Import): boolean {
  const allowed = (mayImport[folderOf(from)] ?? '').split(' ');
  if (to === 'src/broker/ports.ts' && typeOnly && allowed.includes('ports')) return true;
  return folderOf(from) === folderOf(to) || allowed.includes(folderOf(to));
}

test('imports run down the table of the design and never up', () => {
  const inside = product.flatMap(source => source.imports).filter(found => found.to.startsWith('src/'));
  const wrong = inside.filter(found => !isAllowed(found)).map(({ from, to }) => `${from} imports ${to}`);
  none(wrong, 'take it from a folder below, or hand it in from server/');
});

test('a folder, or a part of it with a door of its own, is entered by its mod.ts, and broker/ports.ts gives types', () => {
  const across = product
    .flatMap(source => source.imports)
    .filter(found => found.to.startsWith('src/') && folderOf(found.from) !== folderOf(found.to));
  const isDoor = ({ to, typeOnly }: Import): boolean =>
    /^src\/\w+\/mod\.ts$/.test(to) || sideDoors.includes(to) || (to === 'src/broker/ports.ts' && typeOnly);
  const wrong = across.filter(found => !isDoor(found));
  none(
    wrong.map(({ from, to }) => `${from} imports ${to}`),
    'import from the mod.ts of that folder',
  );
});

test('every folder of src stands in the table and has a mod.ts', () => {
  const folders = new Set(product.map(source => folderOf(source.path)));
  const wrong = [...folders].filter(
    folder => !(folder in mayImport) || (folder !== 'cli' && !isThere(`src/${folder}/mod.ts`)),
  );
  none(wrong, 'add a row to the table, and a mod.ts');
});

test('src knows nothing outside src but Node and the packages that its folder may use', () => {
  const isKnown = ({ from, to }: Import): boolean =>
    to.startsWith('src/') || to.startsWith('node:') || (packages[to] ?? '').split(' ').includes(folderOf(from));
  const wrong = product.flatMap(source => source.imports).filter(found => !isKnown(found));
  none(
    wrong.map(({ from, to }) => `${from} imports ${to}`),
    'write node: in front of a module of Node; a new package needs a row',
  );
});

test('the heart has no socket, no file, no clock and no log of its own', () => {
  const wrong: string[] = [];
  for (const { path, syntax, imports } of product.filter(source => heart.includes(folderOf(source.path)))) {
    for (const { to, typeOnly } of imports)
      if (!typeOnly && notInTheHeart.modules.test(to)) wrong.push(`${path} imports ${to}`);
    walk(syntax, node => {
      if (isUseOf(node, notInTheHeart.names)) wrong.push(`${path} uses ${node.getText()}`);
    });
  }
  none(wrong, 'ask for it in broker/ports.ts and let server/ hand it in');
});

/** An identifier that stands for a global, not for a property, key, type or own declaration of that name. */
function isUseOf(node: ts.Node, names: ReadonlySet<string>): boolean {
  if (!ts.isIdentifier(node) || !names.has(node.text)) return false;
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  return ts.isCallExpression(parent) || (ts.isNewExpression(parent) && parent.expression === node);
}

test('no file lies dead: everything is reached from an entry point, or is shared by tests', () => {
  const scripts = typescript.filter(path => path.startsWith('scripts/') || path.startsWith('bench/'));
  const tests = typescript.filter(path => /\.(test|fuzz|bench)\.ts$/.test(path));
  const reached = reachedFrom([...entryPoints, ...scripts]);
  const reachedByTests = reachedFrom(tests);
  const dead = typescript.filter(path => {
    if (reached.has(path) || tests.includes(path)) return false;
    const isShared = path.startsWith('tests/') || isTestFile(path);
    return !(isShared && reachedByTests.has(path));
  });
  none(dead, 'import it or remove it');
});

function reachedFrom(starts: readonly string[]): Set<string> {
  const reached = new Set<string>();
  const open = [...starts];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    open.push(...(sources.get(path)?.imports.map(found => found.to) ?? []));
  }
  return reached;
}

test('types can be stripped: no enum, no namespace, no parameter property', () => {
  const wrong: string[] = [];
  for (const { path, syntax } of sources.values()) {
    walk(syntax, node => {
      const isParameterProperty = ts.isParameter(node) && ts.isConstructorDeclaration(node.parent) && node.modifiers;
      if (ts.isEnumDeclaration(node) || ts.isModuleDeclaration(node) || isParameterProperty)
        wrong.push(`${path}: ${node.getText().split('\n')[0]}`);
    });
  }
  none(wrong, 'Node runs these files as they are');
});

const isText = (path: string): boolean =>
  /\.(ts|mjs|js|json|md|sh|c|py|yml)$|(^|\/)(run|zancudo)$/.test(path) && path !== 'package-lock.json';

test('no marker of unfinished work is left behind', () => {
  const marker = /\b(?:TO[D]O|FIX[M]E|X{3})\b/;
  const wrong = allFiles.filter(path => isText(path) && marker.test(read(path)));
  none(wrong, 'finish it, or write it where work is planned');
});

test('no file names a folder of one machine', () => {
  const isTelling = (path: string): boolean => path.length > '/root'.length;
  const places = [root, homedir()].filter(isTelling).map(path => path + '/');
  const wrong = allFiles.filter(path => isText(path) && places.some(place => read(path).includes(place)));
  none(wrong, 'say it relative to the repository');
});

const documents = allFiles.filter(path => /^[A-Z]+\.md$/.test(path) || /^docs\/.*\.md$/.test(path));

test('every link of a document leads to a file that exists', () => {
  const wrong: string[] = [];
  for (const path of documents) {
    for (const [, target = ''] of read(path).matchAll(/\]\(([^)\s#]+)[^)]*\)/g)) {
      if (!/^[a-z]+:/.test(target) && !isThere(join(dirname(path), target))) wrong.push(`${path} links to ${target}`);
    }
  }
  none(wrong, 'mend the link');
});

test('every file of ours that a document names exists', () => {
  const wrong: string[] = [];
  for (const path of documents) {
    for (const [, name = ''] of read(path).matchAll(/`((?:src|tests|docs|bench|bin|scripts|\.ci)\/[\w./-]*)`/g)) {
      const exists = name.endsWith('/') ? isFolder(name) : isThere(name);
      if (!exists) wrong.push(`${path} names ${name}`);
    }
  }
  none(wrong, 'mend the name');
});
