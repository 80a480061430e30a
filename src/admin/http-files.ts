/** Files below http_dir: nothing outside of it, whatever `..` and links say, and no list of a folder. */
import fs from 'node:fs';
import path from 'node:path';
import type { ServerResponse } from 'node:http';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};

/** False when there is no such file. `folder` is canonical and ends in a slash; `encoded` is the path of the request. */
export async function serveFile(folder: string, encoded: string, response: ServerResponse): Promise<boolean> {
  const file = await findFile(folder, encoded);
  if (file === null) return false;
  const handle = await fs.promises.open(file);
  const { size } = await handle.stat();
  response.writeHead(200, {
    'content-type': types[path.extname(file).toLowerCase()] ?? 'application/octet-stream',
    'content-length': size,
    'x-content-type-options': 'nosniff',
  });
  if (size === 0) {
    response.end();
    await handle.close();
  } else
    handle
      .createReadStream({ end: size - 1 })
      .on('error', () => response.destroy())
      .pipe(response);
  return true;
}

async function findFile(folder: string, encoded: string): Promise<string | null> {
  try {
    const wanted = decodeURIComponent(encoded);
    if (wanted.includes('\0')) return null;
    const name = wanted.endsWith('/') ? `${wanted}index.html` : wanted;
    const real = await fs.promises.realpath(path.join(folder, name));
    const isInside = real.startsWith(folder);
    return isInside && (await fs.promises.stat(real)).isFile() ? real : null;
  } catch {
    return null;
  }
}
