/**
 * Loads a plugin's module, and loads it anew when one of its files has changed.
 *
 *   /etc/zancudo/rules.mjs?zancudo=7 ── import './table.mjs' ──> /etc/zancudo/table.mjs?zancudo=7
 *
 * Node keeps a module under its address for good, so each load has a number in the address, and a hook of Node's loader
 * hands it on to what the plugin imports by a relative path. Packages keep their one address, and their state.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import vm from 'node:vm';

export interface LoadedModule {
  /** What `export default` gives. */
  value: unknown;
  /** Whether a file that it was made of has another content by now, or is gone. */
  hasChanged(): boolean;
}

const MARK = /\?zancudo=(\d+)$/;

/** By number of the load: the text of each file as it was then. */
const filesOf = new Map<string, Map<string, string | null>>();
let loads = 0;

/** A bundle may not import by an address that it makes itself (bin/start.cjs); Node's own loader may. */
const importAt = new vm.Script('address => import(address)', {
  importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
}).runInThisContext() as (address: string) => Promise<{ default?: unknown }>;

export async function loadModule(file: string): Promise<LoadedModule> {
  followRelativeImports();
  const number = String(++loads);
  const files = new Map([[file, textOf(file)]]);
  filesOf.set(number, files);
  // A CommonJS module is kept by its path.
  Reflect.deleteProperty(module.createRequire(file).cache, file);
  try {
    const { default: value } = await importAt(`${pathToFileURL(file).href}?zancudo=${number}`);
    return { value, hasChanged: () => [...files].some(([path, text]) => textOf(path) !== text) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const message = placeOfSyntaxError(files, error);
    // Where it is thrown is no place of the plugin's.
    throw Object.assign(new SyntaxError(message), { stack: message });
  } finally {
    filesOf.delete(number);
  }
}

/** Node tells the line of a syntax error only to those who do not catch it. */
function placeOfSyntaxError(files: ReadonlyMap<string, unknown>, { message }: SyntaxError): string {
  for (const path of files.keys()) {
    const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8', timeout: CHECK_MS });
    const place = /^(?:file:\/\/)?(\/.*:\d+)$/m.exec(stderr)?.[1];
    if (place !== undefined) return `${message} (${place})`;
  }
  return message;
}

const CHECK_MS = 5000;

let isFollowing = false;

function followRelativeImports(): void {
  if (isFollowing) return;
  isFollowing = true;
  module.registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const mark = MARK.exec(context.parentURL ?? '');
      if (mark === null || !/^\.{0,2}\//.test(specifier) || found.url.includes('?')) return found;
      const path = fileURLToPath(found.url);
      filesOf.get(mark[1]!)?.set(path, textOf(path));
      return { ...found, url: `${found.url}${mark[0]}` };
    },
  });
}

/** Null for a file that cannot be read. */
function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}
