import fs from 'node:fs';

const START_BYTES = 16;

/** The first bytes of a file, by which its kind is known. */
export function startOf(file: string): Buffer {
  const handle = fs.openSync(file, 'r');
  try {
    const start = Buffer.alloc(START_BYTES);
    return start.subarray(0, fs.readSync(handle, start, 0, START_BYTES, 0));
  } finally {
    fs.closeSync(handle);
  }
}
