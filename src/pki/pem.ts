/**
 * Cuts a PEM file into its blocks. Text between blocks is allowed (openssl writes descriptions there) and skipped.
 * A block that opens and never closes, or whose body is not base64, is reported, not thrown: the explanation of a
 * broken file needs everything else that is in it.
 */
interface PemBlock {
  /** `CERTIFICATE`, `X509 CRL`, `PRIVATE KEY`, ... */
  label: string;
  /** Line the block starts on, from 1. */
  line: number;
  text: string;
  der: Buffer;
}

interface PemFile {
  blocks: PemBlock[];
  /** What is wrong with the text, each with its line. */
  problems: { line: number; saw: string }[];
}

const begin = /^-----BEGIN ([A-Z0-9 ]+)-----\s*$/;

export function readPem(text: string): PemFile {
  const file: PemFile = { blocks: [], problems: [] };
  const lines = text.split(/\r\n|\r|\n/);
  for (let at = 0; at < lines.length; at++) {
    const label = begin.exec(lines[at] ?? '')?.[1];
    if (label !== undefined) at = readBlock(lines, at, label, file);
  }
  return file;
}

/** Returns the index of the block's last line. */
function readBlock(lines: string[], start: number, label: string, file: PemFile): number {
  const line = start + 1;
  const ending = `-----END ${label}-----`;
  const length = lines.slice(start).findIndex(each => each.trimEnd() === ending);
  if (length < 0) {
    file.problems.push({ line, saw: `"-----BEGIN ${label}-----" without "${ending}"` });
    return start;
  }
  const block = lines.slice(start, start + length + 1);
  const body = block
    .slice(1, -1)
    .filter(each => !each.includes(':'))
    .join('')
    .replace(/[ \t]/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(body)) {
    file.problems.push({ line, saw: `"${label}" holds characters that are not base64` });
  } else {
    file.blocks.push({ label, line, text: `${block.join('\n')}\n`, der: Buffer.from(body, 'base64') });
  }
  return start + length;
}

export function pem(label: string, der: Uint8Array): string {
  const body = Buffer.from(der)
    .toString('base64')
    .replace(/.{1,64}/g, '$&\n');
  return `-----BEGIN ${label}-----\n${body}-----END ${label}-----\n`;
}
