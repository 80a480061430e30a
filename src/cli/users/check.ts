/** `zancudo users check`: every backend of the configuration, asked about somebody who cannot exist. */
import { checkBackend } from '../../security/database/mod.ts';
import { type Call, UsageError } from '../ca/subcommand.ts';
import { backendsOf } from './places.ts';

export async function checkBackends(call: Call): Promise<number> {
  const all = await backendsOf(call);
  const unknown = call.words.find(word => !all.some(({ name }) => name === word));
  if (unknown !== undefined) throw new UsageError(`the configuration names no auth_backend '${unknown}'.`);
  const wanted = all.filter(({ name }) => call.words.length === 0 || call.words.includes(name));
  if (wanted.length === 0) call.say('The configuration names no auth_backend.');
  let failed = 0;
  for (const settings of wanted) {
    call.say(`${settings.name} (${settings.kind}, ${settings.where})`);
    for await (const { what, ok, lines } of checkBackend(settings)) {
      const [first = '', ...more] = lines;
      call.say(`  ${ok ? 'ok   ' : 'WRONG'}  ${what}: ${first}`, ...more.map(line => `         ${line.trim()}`));
      if (!ok) failed = 1;
    }
  }
  return failed;
}
