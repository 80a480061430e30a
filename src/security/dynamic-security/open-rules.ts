/**
 * The rules at the start of the broker.
 *
 *   file there ── read                          not JSON: nobody is known, and the file is put aside before it is replaced
 *   no file    ── first passwords ── default rules ── written
 *                 password_init_file, MOSQUITTO_DYNSEC_PASSWORD, or by chance and written to FILE.pw
 */
import fs from 'node:fs';
import type { Log } from '../../broker/ports.ts';
import { defaultRules, type FirstPasswords, randomPassword } from './default-rules.ts';
import { readRules, writeRules } from './file.ts';
import { Model } from './model.ts';
import { replaceFile } from './rules-file.ts';

export interface RulesLocation {
  configFile: string;
  passwordInitFile: string | null;
}

export type OpenedRules =
  { ok: true; model: Model; isDamaged: boolean } | { ok: false; lines: string[]; exitCode: number };

/** What Mosquitto ends with when a file of this kind cannot be used. */
const EXIT_CODE = 13;
const ENVIRONMENT = 'MOSQUITTO_DYNSEC_PASSWORD';
const PASSWORD_CHARACTERS_MIN = 12;

export async function openRules(location: RulesLocation, log: Log): Promise<OpenedRules> {
  let text: string;
  try {
    text = fs.readFileSync(location.configFile, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return makeRules(location, log);
    return failure('Error loading Dynamic security plugin config: File is not readable - check permissions.', error);
  }
  warnOfReaders(location.configFile, log);
  const model = readRules(text);
  if (model === null) {
    log.write('error', 'Error loading Dynamic security plugin config: File is not valid JSON.', {
      code: 'dynsec.not-loaded',
      file: location.configFile,
    });
    log.write(
      'error',
      `  Until ${location.configFile} is mended and the broker started again, nobody is known.`,
      'dynsec.not-loaded',
    );
    return { ok: true, model: new Model(), isDamaged: true };
  }
  remarkOnPasswords(model, log);
  return { ok: true, model, isDamaged: false };
}

function failure(line: string, error: unknown): OpenedRules {
  return { ok: false, lines: [line, `  The system says: ${(error as Error).message}`], exitCode: EXIT_CODE };
}

function warnOfReaders(file: string, log: Log): void {
  if ((fs.statSync(file).mode & 0o007) === 0) return;
  log.write('warning', `Warning: File ${file} has world readable permissions.`, {
    code: 'dynsec.open-to-others',
    file,
  });
  log.write('warning', `  It holds the hashes of passwords: chmod 0600 ${file}`, 'dynsec.open-to-others');
}

function remarkOnPasswords(model: Model, log: Log): void {
  const lost = [...model.clients.values()].filter(each => each.encodedPassword !== null && each.password === null);
  const [first] = lost;
  if (first === undefined) return;
  const others = lost.length === 1 ? '' : ` and ${lost.length - 1} others`;
  log.write(
    'warning',
    `dynsec: the password of client '${first.username}'${others} is in no form that is read here.`,
    'dynsec.passwords-unreadable',
  );
  log.write(
    'warning',
    '  They cannot log in until a new one is set; $7$ and $argon2id$ are read.',
    'dynsec.passwords-unreadable',
  );
}

async function makeRules(location: RulesLocation, log: Log): Promise<OpenedRules> {
  const { configFile } = location;
  log.write('warning', 'Dynamic security plugin config not found, generating a default config.', {
    code: 'dynsec.first-start',
    file: configFile,
  });
  try {
    const model = await defaultRules(firstPasswords(location, log));
    await replaceFile(configFile, writeRules(model));
    return { ok: true, model, isDamaged: false };
  } catch (error) {
    return failure(`Error: Unable to make the dynamic security config file '${configFile}'.`, error);
  }
}

function firstPasswords({ configFile, passwordInitFile }: RulesLocation, log: Log): FirstPasswords {
  if (passwordInitFile !== null) {
    const [password = ''] = fs.readFileSync(passwordInitFile, 'utf8').split(/\r?\n/);
    if (password === '') throw new Error(`the first line of ${passwordInitFile} has to be the password of admin`);
    log.write(
      'notice',
      `  The password of the client 'admin' is the first line of ${passwordInitFile}.`,
      'dynsec.first-start',
    );
    return new Map([['admin', password]]);
  }
  const given = process.env[ENVIRONMENT];
  if (given !== undefined) {
    if (given.length >= PASSWORD_CHARACTERS_MIN) return new Map([['admin', given]]);
    throw new Error(`${ENVIRONMENT} has to have at least ${PASSWORD_CHARACTERS_MIN} characters`);
  }
  return writtenDown(`${configFile}.pw`, log);
}

function writtenDown(file: string, log: Log): FirstPasswords {
  const passwords = new Map([
    ['admin', randomPassword()],
    ['democlient', randomPassword()],
  ]);
  fs.rmSync(file, { force: true });
  const text = [...passwords].map(([username, password]) => `${username} ${password}\n`).join('');
  fs.writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
  log.write(
    'notice',
    `  The first passwords, of 'admin' and 'democlient', are in ${file}; keep them and delete it.`,
    'dynsec.first-start',
  );
  return passwords;
}
