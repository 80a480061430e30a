/**
 * Request and response (MQTT 5, 4.10): one subscription to a response topic of this client's own, and correlation data
 * that tells the answers apart.
 */
import { randomBytes } from 'node:crypto';
import type { Client, PublishOptions } from './client.ts';
import { ClientError } from './client-error.ts';
import type { Message } from './options.ts';
import { reasonName } from './reason-names.ts';

export interface RequestOptions extends PublishOptions {
  /** 10,000 unless given. */
  timeoutMs?: number;
}

const timeoutMs = 10_000;

export class Requester {
  private readonly client: Client;
  private readonly open = new Map<string, (message: Message) => void>();
  private readonly stopIntercepting: () => void;
  private subscribed: Promise<string> | null = null;

  constructor(client: Client) {
    this.client = client;
    this.stopIntercepting = client.intercept(message => this.take(message));
  }

  /** Publishes to `topic` and resolves with the first answer. */
  async request(topic: string, payload: Buffer | string, options: RequestOptions = {}): Promise<Message> {
    this.subscribed ??= this.subscribe();
    const responseTopic = await this.subscribed;
    const correlationData = randomBytes(12);
    const key = correlationData.toString('hex');
    const properties = { ...options.properties, responseTopic, correlationData };
    try {
      return await this.answerTo(key, options.timeoutMs ?? timeoutMs, topic, async () => {
        const { reasonCode } = await this.client.publish(topic, payload, { ...options, properties });
        if (reasonCode >= 0x80) throw requestRefused(topic, reasonCode);
      });
    } finally {
      this.open.delete(key);
    }
  }

  close(): void {
    this.stopIntercepting();
  }

  private async subscribe(): Promise<string> {
    const prefix = this.client.serverProperties.responseInformation ?? 'response/';
    const responseTopic = `${prefix}${this.client.clientId}/${randomBytes(6).toString('hex')}`;
    const { reasonCodes } = await this.client.subscribe(responseTopic, { qos: 1 });
    if ((reasonCodes[0] ?? 0x80) >= 0x80) throw requestRefused(responseTopic, reasonCodes[0] ?? 0x80);
    return responseTopic;
  }

  private answerTo(key: string, limitMs: number, topic: string, send: () => Promise<void>): Promise<Message> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(noAnswer(topic, limitMs)), limitMs);
      this.open.set(key, message => {
        clearTimeout(timer);
        resolve(message);
      });
      send().catch((error: unknown) => {
        clearTimeout(timer);
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
  }

  private take(message: Message): boolean {
    const key = message.properties.correlationData?.toString('hex');
    const resolve = key === undefined ? undefined : this.open.get(key);
    resolve?.(message);
    return resolve !== undefined;
  }
}

function noAnswer(topic: string, limitMs: number): ClientError {
  return new ClientError({
    code: 'request.timeout',
    kind: 'timeout',
    message: `Nobody answered the request to '${topic}' within ${limitMs / 1000} s.`,
    remedy: ['Is the one who answers connected, and may it publish to the response topic?'],
  });
}

function requestRefused(topic: string, reasonCode: number): ClientError {
  return new ClientError({
    code: 'request.refused',
    kind: 'refused',
    message: `The broker refused '${topic}' (${reasonCode}, ${reasonName(reasonCode)}).`,
    reasonCode,
  });
}
