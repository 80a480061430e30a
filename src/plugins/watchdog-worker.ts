/** The second thread of watchdog.ts. Its lines go out by themselves: the thread that owns the log is the one that hangs. */
import { appendFileSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { HEARTBEAT_MS, watched, type WatchdogStart } from './watchdog.ts';

/** Nothing that is done for one packet takes so long. */
const STILL_MS = 2000;
const SAY_AGAIN_MS = 30_000;

const { memory, names, hooks, logFiles } = workerData as WatchdogStart;
const fields = new Int32Array(memory);
const plugins = [...names];
parentPort?.on('message', (name: string) => plugins.push(name));

let heard = fields[watched.heartbeat]!;
let stillMs = 0;
let sayAtMs = STILL_MS;

setInterval(() => {
  const beat = Atomics.load(fields, watched.heartbeat);
  if (beat !== heard) {
    if (sayAtMs > STILL_MS) say(`The broker goes on, after it was held up for about ${Math.round(stillMs / 1000)} s.`);
    [heard, stillMs, sayAtMs] = [beat, 0, STILL_MS];
    return;
  }
  stillMs += HEARTBEAT_MS;
  if (stillMs < sayAtMs) return;
  sayAtMs += SAY_AGAIN_MS;
  say(`Error: The broker has been held up for ${Math.round(stillMs / 1000)} s: ${culprit()}`);
}, HEARTBEAT_MS);

function culprit(): string {
  const plugin = Atomics.load(fields, watched.plugin);
  if (plugin === 0)
    return 'no hook of a plugin runs; if it is one, it is in code that goes on after an await or a timer.';
  const hook = hooks[Atomics.load(fields, watched.hook)] ?? '';
  return `plugin ${plugins[plugin - 1] ?? ''} does not return from ${hook}. Until it does, nobody is served.`;
}

function say(text: string): void {
  const line = `${Math.floor(Date.now() / 1000)}: ${text}\n`;
  quietly(() => writeSync(2, line));
  for (const file of logFiles) quietly(() => appendFileSync(file, line));
}

function quietly(write: () => void): void {
  try {
    write();
  } catch {
    // Nobody is left to tell.
  }
}
