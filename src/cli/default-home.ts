import os from 'node:os';
import path from 'node:path';

/** `ZANCUDO_HOME`, or `.zancudo` in the home folder of whoever calls: where the first start makes the broker's. */
export function defaultHome(environment: Readonly<Record<string, string | undefined>>): string {
  return path.resolve(environment['ZANCUDO_HOME'] || path.join(os.homedir(), '.zancudo'));
}
