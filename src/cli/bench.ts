/** The command `bench`: how fast is this broker, from here? */
import { ClientError, connect, type ConnectOptions } from '../client/mod.ts';
import { runBench, type Outcome } from '../bench/mod.ts';
import { benchPage, readBenchArguments, type Wish } from './bench/arguments.ts';
import { isThisMachine, mayLoad } from './bench/consent.ts';
import { drawHistogram, summaryLines } from './bench/drawing.ts';
import { tourOf } from './bench/tour.ts';
import { withProfile } from './client/command.ts';
import { Console } from './client/console.ts';
import { connectOptions } from './client/settings.ts';
import type { Context } from './context.ts';
import { helpText } from './help-text.ts';

const usageExitCode = 2;

export async function run(args: readonly string[], context: Context): Promise<number> {
  const wish = readBenchArguments(args);
  if (wish === 'help') {
    context.print(helpText(benchPage, 'zancudo bench'));
    return 0;
  }
  if (typeof wish === 'string') {
    context.complain(`zancudo bench: ${wish}\n  'zancudo bench --help' lists what there is.\n`);
    return usageExitCode;
  }
  const console = new Console(context, false);
  if (!(await withProfile(wish.draft, context, console))) return 1;
  const access = await accessOf(wish, console);
  if (access === null) return 1;
  if (!(await isThisMachine(access)) && !(await mayLoad(access, wish.isAgreed, context))) return 1;
  if (!(await isReached(wish, access, console))) return 1;
  return load(wish, access, context);
}

async function accessOf({ draft }: Wish, console: Console): Promise<ConnectOptions | null> {
  try {
    return await connectOptions(draft);
  } catch (error) {
    console.notConnected(error, draft.version, false);
    return null;
  }
}

/** One connection in front, in plain words when it fails: thousands of them would all say the same. */
async function isReached({ draft }: Wish, access: ConnectOptions, console: Console): Promise<boolean> {
  try {
    const client = await connect({ ...access, reconnect: false });
    await client.disconnect();
    return true;
  } catch (error) {
    console.notConnected(error, draft.version, false);
    return false;
  }
}

async function load(wish: Wish, access: ConnectOptions, context: Context): Promise<number> {
  const outcomes: Outcome[] = [];
  const shows = !wish.json && process.stderr.isTTY;
  for (const draft of tourOf(wish)) {
    const name = `${draft.scenario}${draft.qos === undefined ? '' : ` QoS ${draft.qos}`}`;
    const outcome = await guarded(() =>
      runBench(
        draft,
        access,
        shows
          ? ({ delivered, connected, seconds }) =>
              context.complain(
                `\r\x1b[K${name}: ${seconds.toFixed(0)} s, ${connected} connected, ${delivered} delivered`,
              )
          : undefined,
      ),
    );
    if (shows) context.complain('\r\x1b[K');
    if (typeof outcome === 'string') {
      context.complain(`Error: ${outcome}\n`);
      return 1;
    }
    outcomes.push(outcome);
    if (!wish.json) context.print(lines([...summaryLines(outcome), ...drawHistogram(outcome)]));
  }
  if (wish.json) context.print(`${JSON.stringify(outcomes, null, 2)}\n`);
  return outcomes.every(({ ok }) => ok) ? 0 : 1;
}

/** Returns what to tell the user where the client could not do its part. */
async function guarded(work: () => Promise<Outcome>): Promise<Outcome | string> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ClientError) return [error.message, ...error.remedy].join('\n  ');
    throw error;
  }
}

const lines = (all: readonly string[]): string => all.map(line => `${line}\n`).join('');
