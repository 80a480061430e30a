/**
 * `pub -l`: every line of standard input is a message.
 *
 * Input is read no faster than the broker takes it. When the connection drops it is taken up again, and the line that
 * did not get through is the next to go.
 */
import { Client, ClientError } from '../../client/mod.ts';
import { publishOptions, tellRefusal, tracing } from '../pub.ts';
import type { Console } from './console.ts';
import type { Draft } from './draft.ts';
import { connectOptions } from './settings.ts';

/** Lines on their way at once; then reading waits. */
const pendingMax = 1_000;
const reconnectMs = 1_000;
const progressMs = 250;

export async function publishLines(draft: Draft, topic: string, console: Console): Promise<number> {
  const sender = new LineSender(draft, topic, console);
  try {
    await sender.open();
  } catch (error) {
    return console.notConnected(error, draft.version, true);
  }
  try {
    for await (const line of linesOf(process.stdin)) await sender.send(line);
    await sender.close();
    return 0;
  } catch (error) {
    if (error instanceof ClientError) return console.ended(error);
    throw error;
  } finally {
    sender.stopProgress();
  }
}

class LineSender {
  private client!: Client;
  private readonly draft: Draft;
  private readonly topic: string;
  private readonly console: Console;
  private readonly pending = new Set<Promise<void>>();
  private hasRoom: () => void = () => undefined;
  private failure: ClientError | null = null;
  /** Null while the connection is there. */
  private offline: Promise<void> | null = null;
  private cameOnline: () => void = () => undefined;
  private sent = 0;
  private progress: NodeJS.Timeout | undefined;

  constructor(draft: Draft, topic: string, console: Console) {
    this.draft = draft;
    this.topic = topic;
    this.console = console;
  }

  async open(): Promise<void> {
    this.client = new Client({
      ...(await connectOptions(this.draft)),
      ...tracing(this.draft, this.console),
      reconnect: error => (error.kind === 'refused' || error.kind === 'tls' ? null : reconnectMs),
      onConnected: () => this.goOn(),
      // Told again for every attempt that fails: those who wait go on waiting for the same promise.
      onLost: () => void (this.offline ??= new Promise(resolve => (this.cameOnline = resolve))),
    });
    await this.client.open();
    void this.client.ended.then(error => {
      this.failure = error;
      this.goOn();
    });
    this.showProgress();
  }

  async send(line: Buffer): Promise<void> {
    // Not Promise.race over all of them: 50,000 lines then took 2.8 s of processor time, and take 0.7 s so.
    if (this.pending.size >= pendingMax) await new Promise<void>(resolve => (this.hasRoom = resolve));
    const done = this.publish(line).catch((error: unknown) => {
      if (!(error instanceof ClientError)) throw error;
      this.failure ??= error;
    });
    this.pending.add(done);
    void done.then(() => {
      this.pending.delete(done);
      this.hasRoom();
    });
    if (this.draft.qos === 0) await done;
    if (this.failure !== null) throw this.failure;
  }

  async close(): Promise<void> {
    await Promise.all(this.pending);
    if (this.failure !== null) throw this.failure;
    await this.client.disconnect({ properties: this.draft.properties.disconnect });
  }

  stopProgress(): void {
    if (this.progress === undefined) return;
    clearInterval(this.progress);
    process.stderr.write(`\r\x1b[K`);
  }

  private goOn(): void {
    this.offline = null;
    this.cameOnline();
  }

  private async publish(line: Buffer): Promise<void> {
    for (;;) {
      await this.offline;
      if (this.failure !== null) throw this.failure;
      try {
        tellRefusal(await this.client.publish(this.topic, line, publishOptions(this.draft)), this.console);
        this.sent++;
        return;
      } catch (error) {
        if (!(error instanceof ClientError) || error.kind !== 'not-connected') throw error;
      }
    }
  }

  /** For people only. */
  private showProgress(): void {
    if (this.draft.quiet || process.stdin.isTTY || !process.stderr.isTTY) return;
    this.progress = setInterval(() => process.stderr.write(`\r${this.sent} messages`), progressMs);
  }
}

const newline = 0x0a;

/** Lines without their newline; the last may have none. As in C a NUL ends a line early. */
export async function* linesOf(input: AsyncIterable<Buffer | string>): AsyncGenerator<Buffer> {
  let open: Buffer[] = [];
  for await (const part of input) {
    const chunk = typeof part === 'string' ? Buffer.from(part) : part;
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      yield untilNul(Buffer.concat([...open, chunk.subarray(start, end)]));
      open = [];
      start = end + 1;
    }
    if (start < chunk.length) open.push(chunk.subarray(start));
  }
  if (open.length > 0) yield untilNul(Buffer.concat(open));
}

function untilNul(line: Buffer): Buffer {
  const nul = line.indexOf(0);
  return nul < 0 ? line : line.subarray(0, nul);
}
