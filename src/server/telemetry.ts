/** OpenTelemetry, where otel_endpoint says so: loaded then, and put in the heart's hands. */
import fs from 'node:fs';
import { hostname } from 'node:os';
import type { Broker } from '../broker/mod.ts';
import type { Log } from '../broker/ports.ts';
import type { Settings } from '../conf/mod.ts';
import type { Exporter, ExporterSettings } from '../observability/otel/mod.ts';
import { productVersion } from './process/mod.ts';

export class Telemetry {
  readonly #broker: Broker;
  readonly #log: Log;
  #exporter: Exporter | null = null;
  /** Spans of the exporters before the present one. */
  #before = { exported: 0, dropped: 0 };
  /** What the present exporter was made from. */
  #inForce = '';

  constructor(broker: Broker, log: Log) {
    this.#broker = broker;
    this.#log = log;
  }

  /** At the start and at each reload. What cannot be read leaves things as they are, and is said. */
  async configure(settings: Settings): Promise<void> {
    const { otelEndpoint: endpoint, otelSampleOneIn, otelTracesPerSecond, otelServiceName } = settings;
    const files = endpoint === null ? null : this.#files(settings);
    if (endpoint !== null && files === null) return;
    const wanted = JSON.stringify([endpoint, otelSampleOneIn, otelTracesPerSecond, otelServiceName, files?.headers, files?.ca?.toString()]); // prettier-ignore
    if (wanted === this.#inForce) return;
    await this.stop();
    this.#inForce = wanted;
    if (endpoint === null || files === null) return;
    const { Exporter, Tracer } = await import('../observability/otel/mod.ts');
    const resource = {
      'service.name': otelServiceName,
      'service.version': productVersion(),
      'service.instance.id': this.#broker.id,
      'host.name': hostname(),
    };
    const exporter = new Exporter({ endpoint, ...files }, resource, this.#log);
    this.#exporter = exporter;
    const ratio = otelSampleOneIn === 0 ? 0 : 1 / otelSampleOneIn;
    this.#broker.tracing = new Tracer({ ratio, tracesPerSecond: otelTracesPerSecond }, span => exporter.take(span));
    this.#log.write('information', `Traces of messages go to ${new URL(endpoint).origin}.`, 'otel.started');
  }

  /** Null where no collector is configured. Spans since the start. */
  get facts(): { exported: number; dropped: number; inTrouble: boolean } | null {
    const exporter = this.#exporter;
    if (exporter === null) return null;
    const { exported, dropped } = this.#before;
    return {
      exported: exported + exporter.exported,
      dropped: dropped + exporter.dropped,
      inTrouble: exporter.inTrouble,
    };
  }

  /** The last spans are sent, if the collector takes them. */
  async stop(): Promise<void> {
    const exporter = this.#exporter;
    this.#exporter = this.#broker.tracing = null;
    this.#inForce = '';
    if (exporter === null) return;
    await exporter.close();
    this.#before.exported += exporter.exported;
    this.#before.dropped += exporter.dropped;
  }

  /** Null when one of them cannot be used; why has been logged. */
  #files({ otelHeadersFile, otelCafile }: Settings): Pick<ExporterSettings, 'headers' | 'ca'> | null {
    try {
      const headers = otelHeadersFile === null ? {} : headersOf(fs.readFileSync(otelHeadersFile, 'utf8'));
      return { headers, ca: otelCafile === null ? null : fs.readFileSync(otelCafile) };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#log.write('error', `Error: No traces of messages: ${why}`, 'otel.cannot-start');
      this.#log.write(
        'error',
        '  Look at otel_headers_file and otel_cafile; the broker goes on without.',
        'otel.cannot-start',
      );
      return null;
    }
  }
}

/** `name: value`, a line each; empty lines and lines with # in front are left out. */
function headersOf(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  text.split('\n').forEach((line, i) => {
    if (/^\s*(#|$)/.test(line)) return;
    const [, name, value] = /^\s*([\w-]+)\s*:\s*(\S.*?)\s*$/.exec(line) ?? [];
    // The line itself is a secret.
    if (name === undefined) throw new Error(`line ${i + 1} of otel_headers_file is not 'name: value'`);
    headers[name] = value!;
  });
  return headers;
}
