/**
 * One connection to a broker's $CONTROL APIs: a command goes out when the topic of its reply is subscribed, and comes
 * back as the first reply that is its own.
 */
import { connect, reasonName, type Client, type ConnectOptions, type Message, type Qos } from '../../client/mod.ts';
import type { ControlCommand, ControlModule, Fields } from './control-command.ts';
import { readReply, type Reply } from './reply.ts';

export type Sent =
  Reply | { kind: 'silent'; seconds: number } | { kind: 'subscribe refused' | 'publish refused'; reason: string };

/** What -v shows. */
export type Watcher = (direction: 'request' | 'reply', payload: string) => void;

export interface ControlLinkOptions {
  connect: ConnectOptions;
  qos: Qos;
  /** How long a reply is waited for. */
  timeoutMs: number;
  watch?: Watcher;
}

export class ControlLink {
  private readonly client: Client;
  private readonly options: ControlLinkOptions;
  private readonly subscribed = new Set<string>();
  private onReply: ((message: Message) => void) | null = null;

  private constructor(client: Client, options: ControlLinkOptions) {
    this.client = client;
    this.options = options;
    client.intercept(message => {
      this.onReply?.(message);
      return true;
    });
  }

  /** Rejects with a ClientError. */
  static async open(options: ControlLinkOptions): Promise<ControlLink> {
    return new ControlLink(await connect({ reconnect: false, ...options.connect }), options);
  }

  get isOnline(): boolean {
    return this.client.isOnline;
  }

  /** Resolves when the connection is over, with its cause. */
  get ended(): Promise<Error | null> {
    return this.client.ended;
  }

  /** Rejects with a ClientError when the link breaks. */
  async send(module: ControlModule, row: ControlCommand, command: Fields): Promise<Sent> {
    const refusal = await this.subscribe(module.responseTopic);
    if (refusal !== null) return { kind: 'subscribe refused', reason: refusal };
    const payload = JSON.stringify({ commands: [command] });
    this.options.watch?.('request', payload);
    return this.exchange(module, row, payload);
  }

  close(): Promise<void> {
    return this.client.disconnect();
  }

  /** Null, or why the broker refused. */
  private async subscribe(topic: string): Promise<string | null> {
    if (this.subscribed.has(topic)) return null;
    const { reasonCodes } = await this.client.subscribe(topic, { qos: this.options.qos });
    const code = reasonCodes[0] ?? 0x80;
    if (code < 0x80) this.subscribed.add(topic);
    if (code < 0x80) return null;
    return this.client.version === 5 ? reasonName(code) : 'Subscription refused.';
  }

  private exchange(module: ControlModule, row: ControlCommand, payload: string): Promise<Sent> {
    const { qos, timeoutMs, watch } = this.options;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(() => resolve({ kind: 'silent', seconds: timeoutMs / 1000 })), timeoutMs);
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.onReply = null;
        act();
      };
      this.onReply = message => {
        if (message.topic !== module.responseTopic) return;
        watch?.('reply', message.payload.toString());
        const reply = readReply(message.payload, row);
        if (reply.kind !== 'not ours') settle(() => resolve(reply));
      };
      this.client.publish(module.requestTopic, payload, { qos }).then(
        ({ reasonCode }) => {
          if (reasonCode < 0x80) return;
          settle(() => resolve({ kind: 'publish refused', reason: reasonName(reasonCode) }));
        },
        (error: Error) => settle(() => reject(error)),
      );
      void this.client.ended.then(error => {
        if (error !== null) settle(() => reject(error));
      });
    });
  }
}
