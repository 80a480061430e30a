/** Whether the bundles of a clone are made of what the sources are now. Loads nothing: every `npm start` asks. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Command and source file of the commands with a bundle of their own; null: all commands. */
export const bundles = { pub: 'pub', sub: 'sub', rr: 'rr', broker: 'broker', zancudo: null };

/** In the order of isUnchanged in bin/start.cjs. */
export function stateOf(root, path) {
  const { size, ino, mtimeMs, ctimeMs } = statSync(join(root, path));
  return [path, size, ino, mtimeMs, ctimeMs];
}

/** Whether every bundle is there and made of what the sources are now. */
export function bundlesAreFresh(root, folder) {
  const isFresh = name => {
    const text = readFileSync(join(folder, `${name}.cjs`), 'latin1');
    const { inputs } = JSON.parse(text.slice(2, text.indexOf('\n')));
    return inputs.every(state => stateOf(root, state[0]).join() === state.join());
  };
  try {
    return Object.keys(bundles).every(isFresh);
  } catch {
    return false;
  }
}
