/** What the tests of this folder share: a temporary folder, programs that may be missing, a small CA. */
import { spawnSync } from 'node:child_process';
import type { KeyObject, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { issue, type CertificateRequest, type Issuer } from './issue.ts';
import { makeKey } from './keys.ts';

export function temporaryFolder(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'zancudo-pki-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** False, and the test skipped with the reason, when a program is not installed. */
export function present(t: TestContext, program: string, argument = '--version'): boolean {
  const found = spawnSync(program, [argument]).error === undefined;
  if (!found) t.skip(`${program} is not installed`);
  return found;
}

export function run(program: string, args: readonly string[], cwd: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

/** A line of shell that has to succeed. */
export function shell(line: string, cwd: string): string {
  const { status, output } = run('sh', ['-ec', line], cwd);
  if (status !== 0) throw new Error(`${line}\n${output}`);
  return output;
}

export interface TestAuthority {
  root: Issuer;
  issuing: Issuer;
  key: KeyObject;
}

export const testNow = Date.UTC(2026, 10, 21, 12);

export async function testAuthority(now = testNow): Promise<TestAuthority> {
  const [rootKey, issuingKey, key] = await Promise.all([makeKey('ec'), makeKey('ec'), makeKey('ec')]);
  const root = await issue({ profile: 'root', subject: [{ CN: 'Test Root' }], key: rootKey, issuer: null, now });
  const rootIssuer = { certificate: root, key: rootKey };
  const subject = [{ CN: 'Test Issuing' }];
  const issuing = await issue({ profile: 'issuing', subject, key: issuingKey, issuer: rootIssuer, now });
  return { root: rootIssuer, issuing: { certificate: issuing, key: issuingKey }, key };
}

export function serverCertificate(
  { issuing, key }: TestAuthority,
  change: Partial<CertificateRequest> = {},
): Promise<X509Certificate> {
  const names = [
    { kind: 'dns' as const, value: 'broker' },
    { kind: 'dns' as const, value: 'broker.local' },
    { kind: 'ip' as const, value: '192.168.1.20' },
    { kind: 'ip' as const, value: 'fd00::20' },
  ];
  const subject = [{ CN: 'broker' }];
  return issue({ profile: 'server', subject, names, key, issuer: issuing, now: testNow, ...change });
}
