/** The command `pub`, which takes the place of mosquitto_pub. */
import { ClientError, connect, reasonName, type Client, type Published } from '../client/mod.ts';
import { runClient, showUsage } from './client/command.ts';
import type { Console } from './client/console.ts';
import type { Draft } from './client/draft.ts';
import { PayloadFault, readPayload } from './client/payload.ts';
import { connectOptions } from './client/settings.ts';
import type { Context } from './context.ts';

export async function run(args: readonly string[], context: Context): Promise<number> {
  return runClient('pub', args, context, (draft, console) => publish(draft, console, context));
}

async function publish(draft: Draft, console: Console, context: Context): Promise<number> {
  const { topic, message } = draft;
  if (topic === undefined || message === undefined) {
    return showUsage('pub', 'Error: Both topic and message must be supplied.', context);
  }
  if (message.kind === 'lines') {
    const { publishLines } = await import('./client/lines.ts');
    return publishLines(draft, topic, console);
  }
  let payload: Buffer;
  try {
    payload = readPayload(message);
  } catch (error) {
    if (!(error instanceof PayloadFault)) throw error;
    console.complain(error.message);
    return 1;
  }
  return publishAll(draft, topic, payload, console);
}

async function publishAll(draft: Draft, topic: string, payload: Buffer, console: Console): Promise<number> {
  let client: Client;
  try {
    client = await connect({ ...(await connectOptions(draft)), ...tracing(draft, console), reconnect: false });
  } catch (error) {
    return console.notConnected(error, draft.version, true);
  }
  try {
    for (let count = 1; count <= draft.repeat; count++) {
      tellRefusal(await client.publish(topic, payload, publishOptions(draft)), console);
      if (count < draft.repeat && draft.repeatDelayMs > 0) await pause(draft.repeatDelayMs, client);
    }
    // A session that is kept may have messages on their way to us, and TLS its own last words.
    const untilSent = draft.cleanStart && client.options.tls === undefined;
    await client.disconnect({ properties: draft.properties.disconnect, untilSent });
    return 0;
  } catch (error) {
    if (error instanceof ClientError) return console.ended(error);
    throw error;
  }
}

export function tracing(draft: Draft, console: Console): { trace?: (line: string) => void } {
  return draft.debug ? { trace: line => console.output.write(`${line}\n`) } : {};
}

export function publishOptions({ qos, retain, version, properties }: Draft) {
  return { qos, retain, ...(version === 5 ? { properties: properties.publish } : {}) };
}

/** A refusal is told, and is no failure of the program. */
export function tellRefusal({ packetId, reasonCode, properties }: Published, console: Console): void {
  if (reasonCode < 0x80) return;
  console.complain(`Warning: Publish ${packetId} failed: ${reasonName(reasonCode)}.`);
  if (properties.reasonString !== undefined) console.complain(properties.reasonString);
}

/** Ends early when the connection does. */
async function pause(ms: number, client: Client): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>(resolve => (timer = setTimeout(resolve, ms)));
  const lost = client.ended.then(error => {
    if (error !== null) throw error;
  });
  await Promise.race([over, lost]).finally(() => clearTimeout(timer));
}
