/**
 * `sub` at work: which messages count, which are printed, and when it is enough.
 *
 *   message -> retained-only? -R? -T? -> --remove-retained -> printed -> -C reached?
 */
import { Client, ClientError, type ConnackInformation, type Message, mayPass } from '../../client/mod.ts';
import { matchesFilter } from '../../topics/mod.ts';
import { tracing } from '../pub.ts';
import type { Console } from './console.ts';
import type { Draft } from './draft.ts';
import { onInterrupt } from './interrupts.ts';
import type { Printer } from './printer.ts';
import { connectOptions } from './settings.ts';

/** As libmosquitto waits. */
const reconnectMs = 1_000;
const timedOutCode = 27;
/** Of a process that ends before the broker has answered. */
const interruptedCode = 255;
/** MQTT 5: the broker shall send the will. */
const disconnectWithWill = 0x04;

export class Receiver {
  private client!: Client;
  private readonly draft: Draft;
  private readonly console: Console;
  private readonly print: Printer;
  private enough = false;
  private printed = 0;
  private removals = 0;
  private timedOut = false;
  private refusal: ClientError | null = null;

  constructor(draft: Draft, console: Console, print: Printer) {
    this.draft = draft;
    this.console = console;
    this.print = print;
  }

  /** Returns the exit code. */
  async run(): Promise<number> {
    const { draft } = this;
    const stopListening = onInterrupt(
      () => this.interrupt(),
      () => process.exit(interruptedCode),
    );
    const timer = this.startTimer();
    this.console.output.onClosed = () => this.finish();
    try {
      this.client = new Client({
        ...(await connectOptions(draft)),
        ...tracing(draft, this.console),
        resubscribe: false,
        reconnect: error => this.retry(error),
        onConnected: information => this.connected(information),
        onMessage: message => this.received(message),
      });
      await this.client.open();
    } catch (error) {
      if (this.timedOut) return this.tellTimeout();
      return this.console.notConnected(error, draft.version, false);
    } finally {
      stopListeningWhen(this.client, stopListening, timer);
    }
    return this.outcome(await this.client.ended);
  }

  private outcome(error: ClientError | null): number {
    if (this.timedOut) return this.tellTimeout();
    if (this.refusal !== null) return this.console.notConnected(this.refusal, this.draft.version, false);
    return error === null ? 0 : this.console.ended(error);
  }

  private tellTimeout(): number {
    this.console.complain('Timed out');
    return timedOutCode;
  }

  private startTimer(): NodeJS.Timeout | undefined {
    const { timeoutSeconds } = this.draft;
    if (timeoutSeconds === 0) return undefined;
    return setTimeout(() => {
      this.timedOut = true;
      if (this.interrupt()) return;
      // Still at the options, such as SRV records that nobody answers for: there is nothing to end in order.
      if (this.client === undefined) process.exit(this.tellTimeout());
      void this.client.abort();
    }, timeoutSeconds * 1000);
  }

  private interrupt(): boolean {
    if (this.client === undefined || !this.client.isOnline) return false;
    this.finish(this.draft.version === 5 ? disconnectWithWill : 0);
    return true;
  }

  private retry(error: ClientError): number | null {
    if (error.kind === 'refused') this.refusal = error;
    return mayPass(error) ? reconnectMs : null;
  }

  /** On every connection anew: with a clean session the broker has forgotten. */
  private connected(_information: ConnackInformation): void {
    const { filters, unsubscribe, qos, properties, retainAsPublished, retainHandling, version } = this.draft;
    const options = version === 5 ? { retainAsPublished, retainHandling, properties: properties.subscribe } : {};
    if (filters.length > 0) {
      this.client.subscribe(filters, { qos, ...options }).then(({ packetId, reasonCodes }) => {
        this.subscribed(packetId, reasonCodes);
      }, ignoreLostConnection);
    }
    for (const filter of unsubscribe) {
      const asked = this.client.unsubscribe(filter, version === 5 ? properties.unsubscribe : {});
      asked.then(() => this.unsubscribed(), ignoreLostConnection);
    }
  }

  private subscribed(packetId: number, codes: readonly number[]): void {
    if (this.draft.debug && !this.draft.quiet) {
      this.console.output.write(`Subscribed (mid: ${packetId}): ${codes.join(', ')}\n`);
    }
    const allDenied = codes.every(code => code >= 0x80);
    if (allDenied) this.console.complain('All subscription requests were denied.');
    if (allDenied || this.draft.exitAfterSubscribe) this.finish();
  }

  private unsubscribed(): void {
    if (this.draft.exitAfterSubscribe && this.draft.filters.length === 0) this.finish();
  }

  private received(message: Message): void {
    const { draft } = this;
    if (this.enough) return;
    if (draft.retainedOnly && !message.retain) return this.stopPrinting();
    if (message.retain && draft.noRetained) return;
    if (draft.filtersOut.some(filter => matchesFilter(filter, message.topic))) return;
    if (draft.removeRetained && message.retain) this.remove(message.topic);
    if (draft.randomPercent >= 100 || Math.random() * 100 < draft.randomPercent) this.print(message);
    if (draft.messageCount > 0 && ++this.printed === draft.messageCount) this.stopPrinting();
  }

  private remove(topic: string): void {
    this.removals++;
    const removed = (): void => {
      this.removals--;
      if (this.enough) this.stopPrinting();
    };
    this.client.publish(topic, '', { qos: 1, retain: true }).then(removed, removed);
  }

  /** What was asked to be removed is removed before the end. */
  private stopPrinting(): void {
    this.enough = true;
    if (this.removals === 0) this.finish();
  }

  private finish(reasonCode = 0): void {
    this.enough = true;
    this.console.output.flush();
    const { version, properties } = this.draft;
    void this.client.disconnect({ reasonCode, ...(version === 5 ? { properties: properties.disconnect } : {}) });
  }
}

function ignoreLostConnection(error: unknown): void {
  if (!(error instanceof ClientError)) throw error;
}

function stopListeningWhen(client: Client | undefined, stop: () => void, timer: NodeJS.Timeout | undefined): void {
  const end = (): void => {
    stop();
    clearTimeout(timer);
  };
  if (client === undefined) end();
  else void client.ended.then(end);
}
