/** A message's way through two brokers, as a collector for OpenTelemetry is told of it. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import test from 'node:test';
import { side, watch } from './bridge/sides.ts';
import { until } from './harness/mod.ts';

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
  await until('the spans of QoS 1', () => names().includes('bridge') && names().includes('publish'));
  assert.deepEqual(names(), ['authorise', 'bridge', 'deliver', 'publish', 'route', 'store']);
  assert.ok(spans.every(({ traceId }) => traceId === TRACE));
  const text = JSON.stringify(spans);
  assert.match(text, /"messaging.destination.name","value":\{"stringValue":"a\/1"/);
  assert.match(text, /local\./, 'the bridge is a receiver');
  assert.deepEqual((arrived.at(-1) as Record<string, string>)['traceparent'], sampled.userProperties.traceparent);
  spans.length = 0;
  await writer.client.publishAsync('a/2', '2', { qos: 2, properties: sampled });
  await reader.has('a/2', '2');
  await until('the spans of QoS 2', () => names().includes('bridge') && names().includes('release'));
  assert.deepEqual(names(), ['bridge', 'deliver', 'publish', 'release', 'route']);
});
