/**
 * Takes spans to a collector by HTTP POST, a batch at a time, and never waits for it.
 *
 *   span ──> queue (2,048) ── every two seconds, or 512 ──> POST (one at a time, ten seconds) ──> collector
 *
 * What does not fit into the queue, and what the collector does not take, is dropped and counted; the log says so once.
 */
import http from 'node:http';
import https from 'node:https';
import type { Log } from '../../broker/ports.ts';
import { otlpBody, type Resource, type Span } from './span.ts';

const QUEUE_MAX = 2_048;
const BATCH_MAX = 512;
const EVERY_MS = 2_000;
const PATIENCE_MS = 10_000;

export interface ExporterSettings {
  /** Where the collector takes OTLP over HTTP; `/v1/traces` is added to a URL without a path. */
  endpoint: string;
  /** Such as an API key; never in a log. */
  headers: Readonly<Record<string, string>>;
  /** PEM of the authorities of an https endpoint; null for those that Node knows. */
  ca: Buffer | null;
}

export class Exporter {
  readonly #settings: ExporterSettings;
  readonly #url: URL;
  readonly #resource: Resource;
  readonly #log: Log;
  readonly #agent: http.Agent;
  #queue: Span[] = [];
  #sending: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #inTrouble = false;
  /** Spans. */
  exported = 0;
  dropped = 0;

  constructor(settings: ExporterSettings, resource: Resource, log: Log) {
    this.#settings = settings;
    this.#url = new URL(settings.endpoint);
    if (this.#url.pathname === '/') this.#url.pathname = '/v1/traces';
    this.#resource = resource;
    this.#log = log;
    const keep = { keepAlive: true, maxSockets: 1 };
    const ca = settings.ca === null ? {} : { ca: settings.ca };
    this.#agent = this.#url.protocol === 'https:' ? new https.Agent({ ...keep, ...ca }) : new http.Agent(keep);
  }

  /** The collector did not take the last ones. */
  get inTrouble(): boolean {
    return this.#inTrouble;
  }

  take(span: Span): void {
    if (this.#queue.length >= QUEUE_MAX) return void this.dropped++;
    this.#queue.push(span);
    if (this.#queue.length >= BATCH_MAX) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), EVERY_MS).unref();
  }

  /** What is there is sent, and waited for as long as a collector is ever waited for. */
  async close(): Promise<void> {
    while (this.#queue.length > 0 || this.#sending !== null) {
      this.#send();
      await this.#sending;
    }
    this.#agent.destroy();
  }

  #send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#sending !== null || this.#queue.length === 0) return;
    const batch = this.#queue.splice(0, BATCH_MAX);
    this.#sending = this.#post(otlpBody(this.#resource, batch))
      .then(
        () => this.#taken(batch.length),
        (error: unknown) => this.#refused(batch.length, error instanceof Error ? error.message : String(error)),
      )
      .finally(() => {
        this.#sending = null;
        if (this.#queue.length > 0) this.#timer ??= setTimeout(() => this.#send(), EVERY_MS).unref();
      });
  }

  #post(body: string): Promise<void> {
    const { protocol } = this.#url;
    const headers = { 'content-type': 'application/json', ...this.#settings.headers };
    const options = { method: 'POST', agent: this.#agent, timeout: PATIENCE_MS, headers };
    return new Promise((resolve, reject) => {
      const request = (protocol === 'https:' ? https : http).request(this.#url, options, response => {
        response.resume();
        const { statusCode = 0 } = response;
        if (statusCode >= 200 && statusCode < 300) response.once('end', resolve);
        else reject(new Error(`it answered ${statusCode}`));
      });
      request.once('timeout', () => request.destroy(new Error(`no answer within ${PATIENCE_MS / 1000} s`)));
      request.once('error', reject);
      request.end(body);
    });
  }

  #taken(count: number): void {
    this.exported += count;
    if (this.#inTrouble)
      this.#log.write('notice', `The collector at ${this.#url.origin} takes traces again.`, 'otel.collector-back');
    this.#inTrouble = false;
  }

  #refused(count: number, why: string): void {
    this.dropped += count;
    if (this.#inTrouble) return;
    this.#inTrouble = true;
    this.#log.write(
      'warning',
      `Warning: The collector at ${this.#url.origin} does not take traces: ${why}.`,
      'otel.collector-silent',
    );
    this.#log.write(
      'warning',
      '  They are dropped until it does; messages are not held up. Is otel_endpoint right?',
      'otel.collector-silent',
    );
  }
}
