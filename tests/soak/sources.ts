/** Whether what is tried has stayed what it was: in a clone, a broker that is started again runs the sources as they are then. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Of the program, relative to the clone. */
export function sourcesChangedSince(unixMilliseconds: number): string[] {
  return ['bin', 'src'].flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map(name => join(folder, name))
      .filter(name => isNewer(join(root, name), unixMilliseconds)),
  );
}

function isNewer(path: string, unixMilliseconds: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true && !path.endsWith('.test.ts') && found.mtimeMs > unixMilliseconds;
}
