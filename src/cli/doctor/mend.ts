/**
 * Applies fixes: safe ones at once, the others after a question, and never without a copy of what is changed.
 *
 *   finding ── fix ── safe, or "yes"? ── copy beside the file ── apply
 */
import fs from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import type { Finding } from '../../base/mod.ts';
import type { Fix } from './fixes.ts';

export interface Mended {
  says: string;
  /** Copies of what was there before. */
  copies: string[];
  /** Why it did not work; null when it did. */
  failure: string | null;
}

export type Ask = (finding: Finding, fix: Fix) => Promise<boolean>;

/** After each fix everything is looked at again: a new certificate, say, answers several findings at once. */
export async function mend(
  look: () => Promise<readonly Finding[]>,
  fixFor: (finding: Finding) => Fix | null,
  ask: Ask,
  now: number,
): Promise<Mended[]> {
  const mended: Mended[] = [];
  const tried = new Set<string>();
  for (let findings = await look(); ; findings = await look()) {
    const next = nextFix(findings, fixFor, tried);
    if (next === null) return mended;
    tried.add(next.fix.says);
    if (next.fix.isSafe || (await ask(next.finding, next.fix))) mended.push(await apply(next.fix, now));
  }
}

function nextFix(
  findings: readonly Finding[],
  fixFor: (finding: Finding) => Fix | null,
  tried: ReadonlySet<string>,
): { finding: Finding; fix: Fix } | null {
  for (const finding of findings) {
    const fix = fixFor(finding);
    if (fix !== null && !tried.has(fix.says)) return { finding, fix };
  }
  return null;
}

async function apply(fix: Fix, now: number): Promise<Mended> {
  const copies: { file: string; copy: string }[] = [];
  let failure: string | null = null;
  try {
    for (const file of fix.changes) copies.push({ file, copy: keepCopy(file, now) });
    await fix.apply();
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    failure = stderr?.toString().trim() || (error instanceof Error ? error.message : String(error));
  }
  return { says: fix.says, copies: copies.filter(isNeeded).map(({ copy }) => copy), failure };
}

/** A copy of what did not change goes again: a key must not lie about twice. */
function isNeeded({ file, copy }: { file: string; copy: string }): boolean {
  if (!fs.existsSync(file) || !fs.readFileSync(file).equals(fs.readFileSync(copy))) return true;
  fs.rmSync(copy);
  return false;
}

/** What the doctor kept is history: nobody uses it, and it is not looked at again. */
export function isKeptCopy(file: string): boolean {
  return /\.before-\d{8}T\d{6}(-\d+)?$/.test(file);
}

/** `mosquitto.conf.before-20261121T225004`, with owner and mode of the original; a second one gets a number. */
function keepCopy(file: string, now: number): string {
  const stamp = new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  for (let nth = 1; ; nth++) {
    const copy = `${file}.before-${stamp}${nth === 1 ? '' : `-${nth}`}`;
    if (fs.existsSync(copy)) continue;
    const { mode, uid, gid } = fs.statSync(file);
    fs.copyFileSync(file, copy, fs.constants.COPYFILE_EXCL);
    fs.chmodSync(copy, mode & 0o777);
    if (process.getuid?.() === 0) fs.chownSync(copy, uid, gid);
    return copy;
  }
}

/** One line of standard input for each question; its end means no. Nothing is read before the first question. */
export class Answers {
  #lines: Interface | null = null;
  #next: AsyncIterator<string> | null = null;

  async next(): Promise<boolean> {
    this.#lines ??= createInterface({ input: process.stdin });
    this.#next ??= this.#lines[Symbol.asyncIterator]();
    const answer = await this.#next.next();
    return answer.done !== true && /^y(es)?$/i.test(answer.value.trim());
  }

  close(): void {
    this.#lines?.close();
  }
}
