/**
 * The path of a Unix socket has room for 107 bytes. A longer one is reached through a descriptor of its folder, which
 * Linux shows as a short path of its own.
 */
import fs from 'node:fs';
import path from 'node:path';

const PATH_BYTES_MAX = 107;

export interface ShortPath {
  path: string;
  /** To be called once the socket is open, or was not. */
  release(): void;
}

/** Throws the system's error when the folder of a long path is not there. */
export function shortPath(socket: string): ShortPath {
  if (Buffer.byteLength(socket) <= PATH_BYTES_MAX) return { path: socket, release: () => {} };
  const folder = fs.openSync(path.dirname(socket), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${folder}/${path.basename(socket)}`, release: () => fs.closeSync(folder) };
}
