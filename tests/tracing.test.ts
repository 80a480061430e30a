/** A message's way through two brokers, as a collector for OpenTelemetry is told of it. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import test from 'node:test';
import { side, watch } from './bridge/sides.ts';
import { run, startBroker, until, zancudo } from './harness/mod.ts';

interface Told {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  attributes: { key: string; value: Record<string, unknown> }[];
}

interface Body {
  resourceSpans: { scopeSpans: { spans: Told[] }[] }[];
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const sampled = { userProperties: { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` } };

test('a message with a traceparent is drawn from receipt to disk, receivers and bridge, and arrives unaltered', async t => {
  const spans: Told[] = [];
  const collector = createServer((request, response) => {
    void json(request).then(body => {
      for (const { scopeSpans } of (body as Body).resourceSpans) spans.push(...scopeSpans.flatMap(each => each.spans));
      response.end('{}');
    });
  });
  await new Promise<void>(resolve => collector.listen(0, '127.0.0.1', resolve));
  t.after(() => collector.close());
  const { port } = collector.address() as AddressInfo;
  const otel = `otel_endpoint http://127.0.0.1:${port}\notel_sample_one_in 0\n`;
  const there = await side(t);
  const here = await side(t, {
    durable: true,
    conf: () =>
      `${otel}connection up\naddress 127.0.0.1:${there.port}\nbridge_protocol_version mqttv50\ntopic # out 2\n`,
  });
  await here.broker.logged(/Bridge up is connected/);
  const reader = await watch(t, there.port, ['a/#'], { protocolVersion: 5 });
  const arrived: unknown[] = [];
  reader.client.on('message', (_topic, _payload, packet) => arrived.push(packet.properties?.userProperties));
  const writer = await watch(t, here.port, [], { protocolVersion: 5 });
  await writer.client.publishAsync('a/untraced', '0', { qos: 1 });
  await writer.client.publishAsync('a/1', '1', { qos: 1, properties: sampled });
  await reader.has('a/1', '1');
  const names = (): string[] => spans.map(({ name }) => name).sort();
  // They come in batches, and which of them are in one depends on when each was over.
  await until('the spans of QoS 1', () => spans.length >= 6);
  assert.deepEqual(names(), ['authorise', 'bridge', 'deliver', 'publish', 'route', 'store']);
  assert.ok(spans.every(({ traceId }) => traceId === TRACE));
  const text = JSON.stringify(spans);
  assert.match(text, /"messaging.destination.name","value":\{"stringValue":"a\/1"/);
  assert.match(text, /local\./, 'the bridge is a receiver');
  assert.deepEqual((arrived.at(-1) as Record<string, string>)['traceparent'], sampled.userProperties.traceparent);
  spans.length = 0;
  await writer.client.publishAsync('a/2', '2', { qos: 2, properties: sampled });
  await reader.has('a/2', '2');
  await until('the spans of QoS 2', () => spans.length >= 5);
  assert.deepEqual(names(), ['bridge', 'deliver', 'publish', 'release', 'route']);
});

test('what a collector does not take is counted in the metrics and seen in the status', async t => {
  const collector = createServer((_request, response) => response.writeHead(503).end());
  await new Promise<void>(resolve => collector.listen(0, '127.0.0.1', resolve));
  t.after(() => collector.close());
  const { port } = collector.address() as AddressInfo;
  const broker = await startBroker({
    conf: at =>
      `admin_socket ${at.directory}/ops.sock\notel_endpoint http://127.0.0.1:${port}\notel_sample_one_in 1\n` +
      `listener ${at.port()} 127.0.0.1\nallow_anonymous true\nlistener ${at.port(1)} 127.0.0.1\nprotocol http_api\n`,
  });
  t.after(() => broker.stop());
  const writer = await watch(t, broker.ports[0]!, []);
  await writer.client.publishAsync('a/1', '1', { qos: 1 });
  await broker.logged(/does not take traces: it answered 503/);
  const metrics = await (await fetch(`http://127.0.0.1:${broker.ports[1]}/metrics`)).text();
  const spans = (outcome: string): number =>
    Number(new RegExp(`^zancudo_trace_spans_total{outcome="${outcome}"} (\\d+)$`, 'm').exec(metrics)?.[1]);
  assert.equal(spans('exported'), 0);
  assert.ok(spans('dropped') > 0, metrics);
  const { stdout } = await run(zancudo, ['status', '-c', `${broker.directory}/mosquitto.conf`]);
  assert.match(stdout, /the collector of otel_endpoint does not take traces: \d+ spans were dropped/);
});
