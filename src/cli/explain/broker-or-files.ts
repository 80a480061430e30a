/** Whom `zancudo explain` asks: the broker that runs, or, where none does, the configuration and its files. */
import path from 'node:path';
import type { OperatorsClient } from '../../admin/mod.ts';
import type { Call } from '../ca/subcommand.ts';
import { answerText, type Place, socketOf, unreachable } from '../operate/ask-broker.ts';

export const noAnswer = 2;

/** No broker runs there; the files may answer. */
const nobody = new Set(['ENOENT', 'ENOTDIR', 'ECONNREFUSED']);

/** `fromFiles` is called where there is no broker, unless the broker was named by its socket or is asked for alone. */
export async function ask(
  call: Call,
  fromBroker: (broker: OperatorsClient) => Promise<number>,
  fromFiles: (() => Promise<number>) | null,
): Promise<number> {
  if (call.has('--files') && fromFiles !== null) return fromFiles();
  const place = await socketOf(call);
  if ('lines' in place) return fromFiles === null ? failed(call, place.lines) : fromFiles();
  const { AskError, OperatorsClient } = await import('../../admin/mod.ts');
  try {
    return await fromBroker(new OperatorsClient(place.socket));
  } catch (error) {
    if (error instanceof AskError) return failed(call, [`Error: ${answerText(error)}.`]);
    if (fromFiles === null || !isAbsent(call, error)) return failed(call, unreachable(place, error));
    return remark(call, place, fromFiles);
  }
}

function isAbsent(call: Call, error: unknown): boolean {
  return !call.has('--socket') && nobody.has((error as NodeJS.ErrnoException).code ?? '');
}

async function remark(call: Call, { of }: Place, fromFiles: () => Promise<number>): Promise<number> {
  const code = await fromFiles();
  if (code !== noAnswer && !call.has('--json')) call.say(`(No broker runs from ${of}: this is what its files say.)`);
  return code;
}

export function failed(call: Call, lines: readonly string[]): number {
  call.warn(...lines);
  return noAnswer;
}

/** The configuration that the options name, and its home. */
export function configurationOf(call: Call): { file: string; home: string | null } {
  const file = call.value('--config-file');
  if (file !== null) return { file, home: null };
  const { folder } = call.home;
  return { file: path.join(folder, 'zancudo.conf'), home: folder };
}
