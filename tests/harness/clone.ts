/** A checkout of what is here, which a test may change, build and pack. The packages of node_modules are borrowed. */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

export class Clone {
  readonly at: string;
  /** XDG_CACHE_HOME of what is run here. */
  readonly cache: string;

  /** In a folder of its own; `more` is what it needs beside the sources. */
  constructor(folder: string, more: readonly string[] = []) {
    this.at = join(folder, 'clone');
    this.cache = join(folder, 'cache');
    for (const path of ['bin', 'src', 'scripts', 'package.json', ...more])
      cpSync(join(projectRoot, path), join(this.at, path), { recursive: true });
    mkdirSync(join(this.at, 'node_modules'));
    for (const name of readdirSync(join(projectRoot, 'node_modules')).filter(each => !each.startsWith('.')))
      symlinkSync(join(projectRoot, 'node_modules', name), join(this.at, 'node_modules', name));
  }

  /** Where its bundles are. */
  get bundles(): string {
    return join(this.at, 'node_modules/.cache/zancudo');
  }

  build(...args: string[]): SpawnSyncReturns<string> {
    return spawnSync(process.execPath, [join(this.at, 'scripts/build.mjs'), ...args], { encoding: 'utf8' });
  }

  run(...args: string[]): SpawnSyncReturns<string> {
    const env = { ...process.env, XDG_CACHE_HOME: this.cache };
    return spawnSync(join(this.at, 'bin/zancudo'), args, { encoding: 'utf8', env });
  }
}
