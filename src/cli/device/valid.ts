/** How long a token or a link is good: `--valid 2h`. */
import { type Call, type SubcommandOption, UsageError } from '../ca/subcommand.ts';

export const validOption: SubcommandOption = {
  long: '--valid',
  argument: 'TIME',
  says: 'How long the token or the link is good: 30m, 2h, 7d. A token for 24h unless given, a link for 1h.',
};

const units: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

export function validMsOf(call: Call, otherwise: number): number {
  const text = call.value('--valid');
  if (text === null) return otherwise;
  const [, count, unit] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) throw new UsageError('--valid is a time such as 30m, 2h or 7d.');
  return Number(count) * (units[unit] ?? 0);
}
