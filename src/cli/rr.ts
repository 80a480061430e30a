/** The command `rr`, which takes the place of mosquitto_rr: a request, and the first response. */
import { Client, ClientError, type Message } from '../client/mod.ts';
import { runClient, showUsage } from './client/command.ts';
import type { Console } from './client/console.ts';
import type { Draft } from './client/draft.ts';
import { onInterrupt } from './client/interrupts.ts';
import { PayloadFault, readPayload } from './client/payload.ts';
import { makePrinter } from './client/printer.ts';
import { connectOptions } from './client/settings.ts';
import type { Context } from './context.ts';
import { tracing } from './pub.ts';

const timedOutCode = 27;
const interruptedCode = 255;

export async function run(args: readonly string[], context: Context): Promise<number> {
  return runClient('rr', args, context, (draft, console) => request(draft, console, context));
}

async function request(draft: Draft, console: Console, context: Context): Promise<number> {
  const { topic, message, responseTopic } = draft;
  if (topic === undefined || message === undefined || message.kind === 'lines' || responseTopic === undefined) {
    const line = 'Error: All of topic, message, and response topic must be supplied.';
    return showUsage('rr', line, context);
  }
  try {
    return await new Request(draft, console, topic, responseTopic, readPayload(message)).run();
  } catch (error) {
    if (!(error instanceof PayloadFault)) throw error;
    console.complain(error.message);
    return 1;
  }
}

class Request {
  private client!: Client;
  private readonly draft: Draft;
  private readonly console: Console;
  private readonly topic: string;
  private readonly responseTopic: string;
  private readonly payload: Buffer;
  private readonly print: (message: Message) => void;
  private askedAt = 0n;
  private answered = false;
  private timedOut = false;

  constructor(draft: Draft, console: Console, topic: string, responseTopic: string, payload: Buffer) {
    this.draft = draft;
    this.console = console;
    this.topic = topic;
    this.responseTopic = responseTopic;
    this.payload = payload;
    this.print = makePrinter(draft, console, false);
  }

  async run(): Promise<number> {
    const { draft } = this;
    const stopListening = onInterrupt(
      () => this.finish(),
      () => process.exit(interruptedCode),
    );
    const timer = this.startTimer();
    try {
      const options = { ...(await connectOptions(draft)), ...tracing(draft, this.console) };
      this.client = new Client({ ...options, reconnect: false, onMessage: message => this.received(message) });
      await this.client.open();
      await this.ask();
      return this.outcome(await this.client.ended);
    } catch (error) {
      if (this.timedOut) return this.outcome(null);
      if (this.client?.pending === undefined || !(error instanceof ClientError) || error.kind === 'refused') {
        return this.console.notConnected(error, draft.version, false);
      }
      return this.answered ? 0 : this.console.notConnected(error, draft.version, false);
    } finally {
      clearTimeout(timer);
      stopListening();
    }
  }

  private outcome(error: ClientError | null): number {
    if (this.timedOut) {
      this.console.complain('Timed out');
      return timedOutCode;
    }
    return error === null ? 0 : this.console.ended(error);
  }

  private startTimer(): NodeJS.Timeout | undefined {
    const { timeoutSeconds } = this.draft;
    if (timeoutSeconds === 0) return undefined;
    return setTimeout(() => {
      this.timedOut = true;
      if (this.finish()) return;
      if (this.client === undefined) process.exit(this.outcome(null));
      void this.client.abort();
    }, timeoutSeconds * 1000);
  }

  /** The request goes out when the response can come in. */
  private async ask(): Promise<void> {
    const { qos, properties, version, retainAsPublished, retainHandling } = this.draft;
    const five = version === 5 ? { retainAsPublished, retainHandling, properties: properties.subscribe } : {};
    const { reasonCodes } = await this.client.subscribe(this.responseTopic, { qos, ...five });
    if (reasonCodes.every(code => code >= 0x80)) {
      this.console.complain('All subscription requests were denied.');
      this.finish();
      return;
    }
    this.askedAt = process.hrtime.bigint();
    const publish = version === 5 ? { properties: { ...properties.publish, responseTopic: this.responseTopic } } : {};
    await this.client.publish(this.topic, this.payload, { qos, ...publish });
  }

  private received(message: Message): void {
    if (this.answered || (message.retain && this.draft.noRetained)) return;
    this.answered = true;
    this.print(message);
    if (this.draft.latency) {
      this.console.output.write(`Latency: ${latencyText(process.hrtime.bigint() - this.askedAt)}\n`);
    }
    this.finish();
  }

  private finish(): boolean {
    if (this.client === undefined || !this.client.isOnline) return false;
    const { version, properties } = this.draft;
    void this.client.disconnect(version === 5 ? { properties: properties.disconnect } : {});
    return true;
  }
}

/** In the unit that fits: ns, µs, ms, or seconds with nine decimals. */
export function latencyText(nanoseconds: bigint): string {
  const ns = Number(nanoseconds);
  if (ns < 1e3) return `${ns}ns`;
  if (ns < 1e6) return `${(ns / 1e3).toFixed(3)}µs`;
  if (ns < 1e9) return `${(ns / 1e6).toFixed(6)}ms`;
  return (ns / 1e9).toFixed(9);
}
