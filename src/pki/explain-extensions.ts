/** What is wrong with an extension file for `openssl x509 -extfile`, before or after a certificate was made with it. */
import fs from 'node:fs';
import type { Finding } from '../base/mod.ts';
import type { ExtensionFile } from './surroundings.ts';

export function explainExtensionFile({ file, altNameLines, nonBreakingSpaceLine }: ExtensionFile): Finding[] {
  const findings: Finding[] = [];
  if (altNameLines.length > 1) {
    findings.push({
      code: 'ext.alternative-names-repeated',
      severity: 'warning',
      where: file,
      saw: `it has ${altNameLines.length} subjectAltName lines in one section: ${altNameLines.join(', ')}`,
      why: 'OpenSSL keeps only the last of them, without a word: a certificate made with it lacks the other names.',
      remedy: ['Put all names into one line:', `subjectAltName = ${altNameLines.join(',')}`],
    });
  }
  if (nonBreakingSpaceLine !== null) {
    findings.push({
      code: 'ext.non-breaking-spaces',
      severity: 'warning',
      where: `${file}:${nonBreakingSpaceLine}`,
      saw: 'it has non-breaking spaces (U+00A0), as copied from a web page',
      why: 'OpenSSL does not take them for blanks: "missing equal sign".',
      remedy: [`sed -i 's/\\xc2\\xa0/ /g' ${file}`],
    });
  }
  return findings;
}

/** The same file as its author meant it: plain blanks, and one subjectAltName line where there were several. */
export function mendedExtensionFile(file: string): string {
  const lines = fs.readFileSync(file, 'utf8').replaceAll('\u00a0', ' ').split('\n');
  const mended: string[] = [];
  /** Where the section's names stand in `mended`. */
  let at: number | null = null;
  for (const line of lines) {
    if (/^\s*\[/.test(line)) at = null;
    const names = /^\s*subjectAltName\s*=\s*(.*?)\s*$/.exec(line)?.[1];
    if (names !== undefined && at !== null) mended[at] = `${mended[at]?.trimEnd()},${names}`;
    else mended.push(line);
    if (names !== undefined) at ??= mended.length - 1;
  }
  return mended.join('\n');
}
