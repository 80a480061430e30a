/** The thread of bcrypt.ts. */
import { parentPort } from 'node:worker_threads';
import type { BcryptReply, BcryptRequest } from './bcrypt.ts';

const MISSING = 'it is a bcrypt hash, and the package that reads these is not installed: npm install bcryptjs@3';

const port = parentPort!;
const loaded = import('bcryptjs').then(
  ({ compareSync }) => compareSync,
  () => null,
);

port.on('message', ({ id, password, encoded }: BcryptRequest) => {
  void loaded.then(compare => port.postMessage(replyTo(compare, id, password, encoded)));
});

function replyTo(
  compare: ((password: string, encoded: string) => boolean) | null,
  id: number,
  password: string,
  encoded: string,
): BcryptReply {
  if (compare === null) return { id, fits: false, error: MISSING };
  try {
    return { id, fits: compare(password, encoded) };
  } catch (error) {
    return { id, fits: false, error: (error as Error).message };
  }
}
