/** Options that several commands share, and what their values mean. */
import { type KeyKind } from '../../pki/mod.ts';
import { UsageError, type Call, type SubcommandOption } from './subcommand.ts';

export const keyOption: SubcommandOption = {
  long: '--key',
  argument: 'KIND',
  completes: ['ec', 'rsa', 'ed25519'],
  says: 'ec (P-256, the default), rsa (2048 bits, for old devices) or ed25519.',
};

export const daysOption: SubcommandOption = {
  long: '--days',
  argument: 'N',
  says: 'Valid for so many days instead of what is usual for its kind.',
};

export const outOption: SubcommandOption = {
  long: '--out',
  argument: 'PATH',
  completes: 'file',
  says: 'Write it there.',
};

export const jsonOption: SubcommandOption = { long: '--json', says: 'For machines.' };

export const becauseOption: SubcommandOption = {
  long: '--because',
  argument: 'TEXT',
  says: 'Why, for the journal: lost, sold, stolen.',
};

const keyKinds: readonly string[] = ['ec', 'rsa', 'ed25519'];

export function keyKindOf(call: Call): KeyKind {
  const kind = call.value('--key') ?? 'ec';
  if (!keyKinds.includes(kind)) throw new UsageError(`--key is one of ${keyKinds.join(', ')}.`);
  return kind as KeyKind;
}

export function lifetimeOf(call: Call): { lifetimeDays?: number } {
  const days = call.value('--days');
  if (days === null) return {};
  if (!/^[1-9]\d{0,4}$/.test(days)) throw new UsageError('--days is a number from 1 to 99999.');
  return { lifetimeDays: Number(days) };
}
