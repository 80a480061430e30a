/** `dynsec init`: the first file of the dynamic security plugin, with one client who may administer it. No network. */
import { closeSync, fsyncSync, openSync, writeFileSync } from 'node:fs';
import { hashPassword } from '../../security/mod.ts';
import type { Context } from '../context.ts';
import { systemWords } from '../system-words.ts';
import type { Desk } from './control-command.ts';
import { askPassword } from './dynsec-commands.ts';
import { exitCodes } from './exit-codes.ts';

export async function initDynsec(
  words: readonly string[],
  programName: string,
  desk: Desk,
  context: Context,
): Promise<number> {
  const [file, username, given] = words;
  if (file === undefined || username === undefined || words.length > 3) {
    const what = words.length > 3 ? 'Too many arguments.' : 'Not enough arguments - filename, or admin-user missing.';
    context.complain(`dynsec init: ${what}\nError: Invalid input.\n  Usage: init <file> <admin-username> [password]\n`);
    return exitCodes.invalid;
  }
  const asked = given === undefined ? await askPassword(username, desk) : { ok: true as const, password: given };
  if (!asked.ok) {
    if (!asked.built.ok) context.complain(asked.built.lines.map(line => `${line}\n`).join(''));
    return exitCodes.ok;
  }
  const text = JSON.stringify(await firstFile(username, asked.password));
  try {
    writeNew(file, text);
  } catch (error) {
    context.complain(`dynsec init: Unable to open '${file}' for writing (${systemWords(error)}).\n`);
    context.complain('  Nothing has been written: a file that is there already is never overwritten.\n');
    // As mosquitto_ctrl ends: scripts that run init at every start count on it.
    return exitCodes.ok;
  }
  context.print(created(file, username, programName));
  return exitCodes.ok;
}

/** Readable for the group too, as the broker often runs as another user than the administrator. */
function writeNew(file: string, text: string): void {
  const handle = openSync(file, 'wx', 0o640);
  try {
    writeFileSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

const rules: readonly [acltype: string, topic: string][] = [
  ['publishClientSend', '$CONTROL/dynamic-security/#'],
  ['publishClientReceive', '$CONTROL/dynamic-security/#'],
  ['subscribePattern', '$CONTROL/dynamic-security/#'],
  ['publishClientReceive', '$SYS/#'],
  ['subscribePattern', '$SYS/#'],
  ['publishClientReceive', '#'],
  ['subscribePattern', '#'],
  ['unsubscribePattern', '#'],
];

async function firstFile(username: string, password: string): Promise<unknown> {
  // Brokers on Mosquitto's library read no Argon2 here.
  const encoded = await hashPassword(password, 'sha512-pbkdf2');
  const roles = [{ rolename: 'admin' }];
  return {
    clients: [{ username, textName: 'Dynsec admin user', encoded_password: encoded, roles }],
    roles: [{ rolename: 'admin', acls: rules.map(([acltype, topic]) => ({ acltype, topic, allow: true })) }],
    defaultACLAccess: { publishClientSend: false, publishClientReceive: true, subscribe: false, unsubscribe: true },
  };
}

function created(file: string, username: string, programName: string): string {
  return `The client '${username}' has been created in the file '${file}'.
This client is configured to allow you to administer the dynamic security plugin only.
It does not have access to publish messages to normal topics.
You should create your application clients to do that, for example:
   ${programName} <connect options> dynsec createClient <username>
   ${programName} <connect options> dynsec createRole <rolename>
   ${programName} <connect options> dynsec addRoleACL <rolename> publishClientSend my/topic allow [priority]
   ${programName} <connect options> dynsec addClientRole <username> <rolename> [priority]
`;
}
