/**
 * The repository as its own tests see it: which files there are, and who imports whom, read with TypeScript's parser.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

const notOurs = new Set(['node_modules', '.git', 'dist']);

/** Every file of the project, as paths from its root. */
export function projectFiles(below = '.'): string[] {
  const files: string[] = [];
  for (const entry of readdirSync(join(root, below), { withFileTypes: true })) {
    const path = below === '.' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory() && !notOurs.has(entry.name)) files.push(...projectFiles(path));
    else if (entry.isFile()) files.push(path);
  }
  return files.sort();
}

export const read = (path: string): string => readFileSync(join(root, path), 'utf8');
export const isThere = (path: string): boolean => existsSync(join(root, path));
export const isFolder = (path: string): boolean => isThere(path) && statSync(join(root, path)).isDirectory();

export interface Import {
  from: string;
  /** Path from the root of the project, or the bare name: `node:net`, `ws`. */
  to: string;
  /** Vanishes when types are stripped. */
  typeOnly: boolean;
}

export interface Source {
  path: string;
  syntax: ts.SourceFile;
  imports: Import[];
}

/** Parses one TypeScript file. */
export function parse(path: string): Source {
  const syntax = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  walk(syntax, node => {
    const found = importOf(node);
    if (found) imports.push({ from: path, to: place(path, found.specifier), typeOnly: found.typeOnly });
  });
  return { path, syntax, imports };
}

export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, child => walk(child, visit));
}

function place(from: string, specifier: string): string {
  return specifier.startsWith('.') ? relative(root, resolve(root, dirname(from), specifier)) : specifier;
}

interface Found {
  specifier: string;
  typeOnly: boolean;
}

/** import, export-from, import(), import types, and `new URL('./worker.ts', import.meta.url)`. */
function importOf(node: ts.Node): Found | null {
  if (ts.isImportDeclaration(node)) return found(node.moduleSpecifier, isTypeOnly(node.importClause));
  if (ts.isExportDeclaration(node)) {
    const named = node.exportClause && ts.isNamedExports(node.exportClause) ? node.exportClause.elements : [];
    return found(node.moduleSpecifier, node.isTypeOnly || (named.length > 0 && named.every(name => name.isTypeOnly)));
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return found(node.argument.literal, true);
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return found(node.arguments[0], false);
  }
  if (
    ts.isNewExpression(node) &&
    node.expression.getText() === 'URL' &&
    node.arguments?.[1]?.getText() === 'import.meta.url'
  ) {
    const target = found(node.arguments[0], false);
    return target && extname(target.specifier) === '.ts' ? target : null;
  }
  return null;
}

function found(specifier: ts.Node | undefined, typeOnly: boolean): Found | null {
  return specifier && ts.isStringLiteral(specifier) ? { specifier: specifier.text, typeOnly } : null;
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const named = clause.namedBindings;
  return (
    !clause.name && named !== undefined && ts.isNamedImports(named) && named.elements.every(name => name.isTypeOnly)
  );
}

/** What no user ever runs: tests, fuzzers, benches, and what only those share. */
export const isTestFile = (path: string): boolean =>
  /\.(test|fuzz|bench|contract)\.ts$|\/(vectors|testing)\//.test(path);
