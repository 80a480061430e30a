/**
 * The command `doctor`: looks at what is there, says what it finds, why it matters and the command that mends it.
 *
 *   look ── findings ── --fix? ── mend ── look again ── report, exit code by the worst that is left
 */
import fs from 'node:fs';
import path from 'node:path';
import { codedLines, findingLines, type Finding } from '../base/mod.ts';
import { PkiError } from '../pki/mod.ts';
import { pageOf, runSubcommand, UsageError, type Call, type Subcommand } from './ca/subcommand.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { examineConnection } from './doctor/connection.ts';
import { examine, examineHome, type Examined } from './doctor/examine.ts';
import { fixFor, type Fix, type Surgery } from './doctor/fixes.ts';
import { Answers, mend, type Mended } from './doctor/mend.ts';
import { exitCodeOf, reportJson, reportText } from './doctor/report.ts';
import { trustedBy } from './probe/trusted.ts';

const command: Subcommand = {
  name: 'doctor',
  operands: '[FILE|FOLDER]',
  atLeast: 0,
  atMost: 1,
  options: [
    { long: '--connect', argument: 'HOST:PORT', says: 'Look at a broker from outside: its TLS, its certificate, who it lets in.' },
    { long: '--cafile', argument: 'FILE', completes: 'file', says: 'With --connect: the CA that the broker should be known by.' },
    { long: '--fix', says: 'Mend what can be mended safely, ask for the rest, and keep a copy of what is changed.' },
    { long: '--yes', says: 'With --fix: the answer to every question is yes.' },
    { long: '--json', says: 'For machines.' },
  ],
  says: 'Look at a home, a configuration, a folder, or a broker.',
  run: lookOrSay,
}; // prettier-ignore

const { options } = pageOf({ command: 'doctor', summary: '', about: [] }, [command]);

export const doctorPage: CommandPage = {
  command: 'doctor',
  summary: 'finds what is wrong with certificates, keys and settings, and what to do about it',
  usage: ['[FILE|FOLDER] [--fix [--yes]] [--json]', '--connect HOST:PORT [--cafile FILE] [--json]'],
  about: [
    'FILE is a mosquitto.conf, a certificate, a key or a client script; FOLDER holds certificates and keys. Without either it looks at the home of this broker.',
  ],
  options,
  exitCodes: [
    { code: '0', when: 'Nothing is wrong; there may be notes.' },
    { code: '1', when: 'There are warnings: something will hurt somebody.' },
    { code: '2', when: 'The command line cannot be understood.' },
    { code: '3', when: 'There are errors: something does not work, or cannot be looked at.' },
  ],
};

export function run(args: readonly string[], context: Context): Promise<number> {
  return runSubcommand(doctorPage, [command], ['doctor', ...args], context);
}

/** What cannot be looked at is as bad as an error in it. */
async function lookOrSay(call: Call): Promise<number> {
  try {
    return await look(call);
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    call.warn(...codedLines(error.finding));
    return 3;
  }
}

async function look(call: Call): Promise<number> {
  const target = call.words[0];
  if (call.has('--connect') && (target !== undefined || call.has('--fix'))) {
    throw new UsageError('--connect looks from outside: it takes no FILE and mends nothing.');
  }
  if (call.has('--yes') && !call.has('--fix')) throw new UsageError('--yes answers the questions of --fix.');
  const surgery = { context: quiet(call), configuration: configurationOf(call) };
  const mended = call.has('--fix') ? await operate(call, surgery) : [];
  const examined = await examineWhatIsMeant(call);
  const findings = examined.findings.map(finding => ({ finding, fix: fixFor(finding, surgery) }));
  const report = { what: examined.what, findings, mended };
  call.context.print(call.has('--json') ? `${reportJson(report)}\n` : reportText(report));
  return exitCodeOf(report);
}

async function operate(call: Call, surgery: Surgery): Promise<Mended[]> {
  const lookAgain = async (): Promise<Finding[]> => (await examineWhatIsMeant(call)).findings;
  const answers = new Answers();
  const ask = (finding: Finding, fix: Fix): Promise<boolean> => {
    if (call.has('--yes')) return Promise.resolve(true);
    putQuestion(call, finding, fix);
    return answers.next();
  };
  try {
    return await mend(lookAgain, finding => fixFor(finding, surgery), ask, call.context.wall());
  } finally {
    answers.close();
  }
}

async function examineWhatIsMeant(call: Call): Promise<Examined> {
  const now = call.context.wall();
  const peer = call.value('--connect');
  if (peer !== null) return examineConnection(peer, trustedBy(call.value('--cafile'), call.home.folder), now);
  const target = call.words[0];
  if (target !== undefined) return examine(path.resolve(target), now);
  const { folder } = call.home;
  if (!fs.existsSync(path.join(folder, 'zancudo.conf'))) throw noHome(folder);
  return examineHome(folder, now);
}

function noHome(folder: string): PkiError {
  return new PkiError({
    code: 'doctor.no-home',
    where: folder,
    saw: 'there is no home of a broker',
    why: 'It is made by the first start. What is to be looked at can also be named.',
    remedy: ['zancudo', 'zancudo doctor /etc/mosquitto/mosquitto.conf'],
  });
}

function configurationOf(call: Call): string | null {
  const target = path.resolve(call.words[0] ?? call.home.folder);
  if (!fs.existsSync(target)) return null;
  if (!fs.statSync(target).isDirectory()) return target;
  const inside = ['zancudo.conf', 'mosquitto.conf'].map(name => path.join(target, name));
  return inside.find(each => fs.existsSync(each)) ?? null;
}

function putQuestion(call: Call, finding: Finding, fix: Fix): void {
  call.warn('', ...findingLines({ ...finding, remedy: finding.remedy.map(each => `> ${each}`) }));
  call.context.complain(`Mend it (${fix.says})? [y/N] `);
}

/** What a fix prints must not stand in the middle of the report. */
function quiet({ context }: Call): Context {
  return { ...context, print: () => undefined };
}
