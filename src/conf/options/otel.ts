/** Chapter: where the ways of messages are drawn (OpenTelemetry). */
import { globalOption, type OptionRow } from './row.ts';
import { emptyValue, integer, path, text, type ValueType } from './types.ts';
import { refuse } from '../error.ts';

const notAUrl = "Error: Invalid 'otel_endpoint' value (<value>).";

const endpoint: ValueType<string> = {
  argument: 'URL',
  good: ['http://127.0.0.1:4318', 'https://collector.example.org/v1/traces'],
  bad: [
    { text: '', error: "Error: Empty '<name>' value in configuration." },
    { text: '127.0.0.1:4318', error: notAUrl.replace('<value>', '127.0.0.1:4318') },
    { text: 'grpc://h:4317', error: notAUrl.replace('<value>', 'grpc://h:4317') },
  ],
  read(argument, name) {
    const written = argument.rest() || emptyValue(name);
    if (/^https?:\/\/./.test(written) && URL.canParse(written)) return written;
    refuse(
      notAUrl.replace('<value>', written),
      'Write where the collector takes OTLP over HTTP: http://127.0.0.1:4318. OTLP over gRPC (port 4317) is not spoken.',
    );
  },
};

const ours = { since: 'ours', reload: 'live', repeat: 'last' } as const;

export const otel: readonly OptionRow[] = [
  globalOption({
    ...ours,
    name: 'otel_endpoint',
    type: endpoint,
    field: 'otelEndpoint',
    says: 'An OpenTelemetry collector, which is sent traces of messages as OTLP over HTTP (JSON): receive, authorise, route, deliver, store, bridge. /v1/traces is added to a URL without a path. A collector that is slow or gone holds no message up.',
    standard: 'none; nothing is traced',
  }),
  globalOption({
    ...ours,
    name: 'otel_sample_one_in',
    type: integer({ argument: 'number', min: 0, outside: '-1' }),
    field: 'otelSampleOneIn',
    says: 'Traces one message in so many. 0 traces only those whose publisher does (a sampled traceparent, in the user properties of MQTT 5), which are traced in any case.',
  }),
  globalOption({
    ...ours,
    name: 'otel_traces_per_second',
    type: integer({ argument: 'number', min: 1, outside: '0' }),
    field: 'otelTracesPerSecond',
    says: 'More messages are not traced within a second, whatever their publishers ask for.',
  }),
  globalOption({
    ...ours,
    name: 'otel_service_name',
    type: text('text', 'zancudo', 'broker of the east wing'),
    field: 'otelServiceName',
    says: 'What the broker is called in traces (service.name).',
  }),
  globalOption({
    ...ours,
    name: 'otel_headers_file',
    type: path,
    field: 'otelHeadersFile',
    says: "Headers of the requests to the collector, one a line as 'name: value': an API key, for example. Keep it with mode 0600.",
    standard: 'none',
  }),
  globalOption({
    ...ours,
    name: 'otel_cafile',
    type: path,
    field: 'otelCafile',
    says: 'PEM certificates of the authorities that a collector with https may come from.',
    standard: 'those that Node.js knows',
  }),
];
