import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import type { Log, TracedMessage } from '../../broker/ports.ts';
import { Exporter, type Span, Tracer } from './mod.ts';
import { readTraceparent } from './trace-context.ts';

const message: TracedMessage = {
  clientId: 'lamp',
  topicName: 'home/lamp',
  qos: 1,
  retain: false,
  bytes: 2,
  traceparent: null,
  tracestate: null,
};
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = (flags: string): string => `00-${TRACE}-00f067aa0ba902b7-${flags}`;

function tracer(ratio: number, tracesPerSecond = 100): { tracer: Tracer; spans: Span[] } {
  const spans: Span[] = [];
  return { tracer: new Tracer({ ratio, tracesPerSecond }, span => spans.push(span)), spans };
}

test('a message is traced if its publisher traces it, or by lot when he says nothing', () => {
  const { tracer: byLot } = tracer(1);
  assert.notEqual(byLot.begin(message), null);
  assert.equal(byLot.begin({ ...message, traceparent: parent('00') }), null, 'its publisher has decided against it');
  const { tracer: never } = tracer(0);
  assert.equal(never.begin(message), null);
  assert.notEqual(never.begin({ ...message, traceparent: parent('01') }), null);
  assert.equal(never.begin({ ...message, traceparent: 'nonsense' }), null);
});

test('publishers cannot make the broker trace more in a second than its operator wants', () => {
  const { tracer: bounded } = tracer(0, 5);
  const begun = Array.from({ length: 50 }, () => bounded.begin({ ...message, traceparent: parent('01') }));
  assert.ok(begun.filter(trace => trace !== null).length <= 10, 'five, and five more if the second has changed');
});

test('the spans of a message hang together, below the span of its publisher', () => {
  const { tracer: all, spans } = tracer(1);
  const trace = all.begin({ ...message, traceparent: parent('01'), tracestate: 'a=b' })!;
  trace.routes();
  trace.routed(1, [{ clientId: 'wall', qos: 1, connected: true }]);
  trace.waitsForStore();
  trace.turnEnds();
  assert.equal(
    spans.some(({ name }) => name === 'publish'),
    false,
    'not over before the disk has it',
  );
  trace.acknowledged(0);
  const named = Object.fromEntries(spans.map(span => [span.name, span]));
  assert.deepEqual(spans.map(({ name }) => name), ['authorise', 'route', 'deliver', 'store', 'publish']); // prettier-ignore
  assert.ok(spans.every(({ traceId, tracestate }) => traceId === TRACE && tracestate === 'a=b'));
  assert.equal(named['publish']!.parentId, '00f067aa0ba902b7');
  for (const name of ['authorise', 'route', 'store']) assert.equal(named[name]!.parentId, named['publish']!.spanId);
  assert.equal(named['deliver']!.parentId, named['route']!.spanId);
  assert.ok(spans.every(({ start, end }) => end >= start));
});

test('a refused message is a span with an error', () => {
  const { tracer: all, spans } = tracer(1);
  const trace = all.begin(message)!;
  trace.acknowledged(0x87);
  trace.turnEnds();
  assert.deepEqual(spans.map(({ name, fault }) => [name, fault]), [['publish', 'not accepted (0x87)']]); // prettier-ignore
});

test('traceparent is read as W3C writes it, and nothing else is', () => {
  assert.deepEqual(readTraceparent(parent('01')), { traceId: TRACE, parentId: '00f067aa0ba902b7', sampled: true });
  assert.equal(readTraceparent(`cc-${TRACE}-00f067aa0ba902b7-01-what-comes-later`)?.sampled, true);
  for (const bad of ['', parent('1'), parent('01').toUpperCase(), `ff-${TRACE}-00f067aa0ba902b7-01`, `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, `${parent('01')}-more`]) {
    assert.equal(readTraceparent(bad), null, bad);
  } // prettier-ignore
});

interface Body {
  resourceSpans: { scopeSpans: { spans: Record<string, unknown>[] }[] }[];
}

const logTo = (say: (line: string) => void): Log => ({
  debug: false,
  subscribe: false,
  unsubscribe: false,
  connections: false,
  write: (_as, line) => say(line),
});

interface Collector {
  endpoint: string;
  bodies: { headers: IncomingHttpHeaders; url: string; body: string }[];
  status: number;
}

async function collector(t: TestContext): Promise<Collector> {
  const found: Collector = { endpoint: '', bodies: [], status: 200 };
  const server: Server = createServer((request, response) => {
    void text(request).then(body => {
      found.bodies.push({ headers: request.headers, url: request.url ?? '', body });
      response.writeHead(found.status).end('{}');
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  found.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return found;
}

const resource = {
  'service.name': 'zancudo',
  'service.version': '1',
  'service.instance.id': 'x',
  'host.name': 'box',
};
const span: Span = { traceId: TRACE, spanId: '00f067aa0ba902b7', parentId: null, tracestate: null, name: 'publish', kind: 2, start: 1_700_000_000_000.25, end: 1_700_000_000_001, attributes: { 'zancudo.qos': 1, 'zancudo.retain': true }, fault: null }; // prettier-ignore

test('what a collector gets is OTLP: ids in hexadecimal, times in nanoseconds, whole numbers as text', async t => {
  const there = await collector(t);
  const log = logTo(() => assert.fail('complained'));
  const exporter = new Exporter({ endpoint: there.endpoint, headers: { 'x-key': 's3cret' }, ca: null }, resource, log);
  exporter.take(span);
  await exporter.close();
  const [{ headers, url, body }] = there.bodies as [Collector['bodies'][0]];
  assert.deepEqual([url, headers['content-type'], headers['x-key']], ['/v1/traces', 'application/json', 's3cret']);
  const sent = (JSON.parse(body) as Body).resourceSpans[0]!.scopeSpans[0]!.spans[0]!;
  assert.deepEqual(
    [sent['traceId'], sent['startTimeUnixNano'], sent['endTimeUnixNano']],
    [TRACE, '1700000000000250000', '1700000000001000000'],
  );
  assert.deepEqual((sent['attributes'] as unknown[])[0], { key: 'zancudo.qos', value: { intValue: '1' } });
  assert.equal(exporter.exported, 1);
});

test('a collector that refuses or is gone costs spans and one warning, never more memory', async t => {
  const there = await collector(t);
  there.status = 503;
  const said: string[] = [];
  const log = logTo(line => void said.push(line));
  const exporter = new Exporter({ endpoint: there.endpoint, headers: {}, ca: null }, resource, log);
  for (let n = 0; n < 5_000; n++) exporter.take(span);
  await exporter.close();
  assert.deepEqual([exporter.exported, exporter.dropped], [0, 5_000]);
  assert.match(said.join('\n'), /^Warning: The collector at http:\S+ does not take traces: it answered 503\.\n {2}They are dropped/); // prettier-ignore
  assert.equal(said.length, 2);
  assert.ok(there.bodies.length <= 6, 'at most what fits into the queue was tried');
});
