/** Requests to services by PUBLISH, and connections that may do nothing but ask them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccessControl, Peer, ServicePass, ServiceRequest, TopicService } from '../../src/broker/ports.ts';
import * as bytes from '../conformance/bytes.ts';
import { CrashStore } from './crash-store.ts';
import { Quick } from './quick.ts';
import { openAccess, World, type WorldOptions } from './world.ts';

const CONTROL = '$CONTROL/test/v1';
const ENROLL = '$CA/v1/enroll';
const REAL = { clientId: 'pump', version: 5 as const };

const pass: ServicePass = { topics: [ENROLL], limit: 'may only enrol', shown: 'what it has shown' };

/** Says back what it was asked, at once or when the test says so. */
class Echo implements TopicService {
  readonly topics = [CONTROL, ENROLL];
  readonly payloadBytesMax = 100;
  readonly requests: ServiceRequest[] = [];
  late = false;

  handle(request: ServiceRequest): void {
    this.requests.push(request);
    if (!this.late) this.answer(request);
  }

  answer(request: ServiceRequest): void {
    request.reply(Buffer.from(`re: ${request.payload.toString()}`));
  }
}

function worldWithEcho(options: WorldOptions = {}): { world: World; echo: Echo } {
  const world = new World(options);
  const echo = new Echo();
  world.broker.services.add(echo);
  return { world, echo };
}

const refused: Partial<Peer> = { refusal: { code: 'expired', reason: 'certificate expired' }, pass };

function confinedClient(world: World, fields: bytes.ConnectFields = {}): Quick {
  return new Quick(world, { ...REAL, ...fields }, world.dial(Infinity, { peer: refused }));
}

describe('a request to a service', () => {
  for (const version of [3, 4, 5] as const) {
    test(`on $CONTROL is answered to every subscriber of the response, to the sender once (version ${version})`, () => {
      const { world } = worldWithEcho();
      const sender = new Quick(world, { clientId: 'a', version }).subscribe(`${CONTROL}/response`);
      const other = new Quick(world, { clientId: 'b', version }).subscribe(`${CONTROL}/response`);
      const spy = new Quick(world, { clientId: 'c', version }).subscribe(CONTROL);
      sender.publish(CONTROL, 'hello', { qos: 1, packetId: 9, retain: true });
      assert.deepEqual(sender.hear().at(-1)?.payload.toString(), 're: hello');
      assert.deepEqual(other.messages(), ['re: hello']);
      assert.deepEqual(spy.messages(), []);
      assert.equal(world.broker.retained.size, 0);
    });
  }

  test('on $CA is answered to the sender alone, subscribed or not, whatever the access rules say', () => {
    const nobody: AccessControl = {
      ...openAccess,
      mayWrite: () => false,
      readsUnrestricted: false,
      mayRead: () => false,
    };
    const { world } = worldWithEcho({ access: nobody });
    const other = new Quick(world, { clientId: 'b' }).subscribe('$CA/#');
    const sender = new Quick(world, { clientId: 'a' }).publish(ENROLL, 'hello');
    assert.deepEqual(sender.messages(), ['re: hello']);
    assert.deepEqual(other.messages(), []);
  });

  test('with a response topic of its own is answered there, with its correlation data (MQTT 5, 4.10)', () => {
    const { world } = worldWithEcho({ rules: { mountPoint: 'site/' } });
    const sender = new Quick(world, { clientId: 'a' });
    const properties: bytes.Property[] = [
      ['responseTopic', 'answers/a'],
      ['correlationData', Buffer.from('17')],
    ];
    sender.publish(ENROLL, 'hello', { properties });
    const answer = sender.hear().at(-1)!;
    assert.equal(answer.topic, 'answers/a');
    assert.deepEqual(answer.properties, [['correlationData', Buffer.from('17')]]);
  });

  test('on $CONTROL needs the right to write there', () => {
    const access: AccessControl = { ...openAccess, mayWrite: () => false };
    const { world, echo } = worldWithEcho({ access });
    new Quick(world).publish(CONTROL, 'hello');
    assert.equal(echo.requests.length, 0);
  });

  test('at QoS 2 is served once, when it is released, and never told to the store', () => {
    const store = new CrashStore();
    let told = 0;
    store.putExchange = () => (told += 1);
    const { world, echo } = worldWithEcho({ store });
    const sender = new Quick(world, { clientId: 'a', clean: false, properties: [['sessionExpiry', 100]] });
    const twice = bytes.publish({ topic: ENROLL, payload: 'secret', qos: 2, packetId: 7 });
    sender.say(twice, twice);
    assert.equal(echo.requests.length, 0);
    assert.equal(told, 0);
    sender.say(bytes.ack(bytes.PUBREL, 7));
    assert.equal(echo.requests.length, 1);
  });

  test('may be answered later, and to nobody when the sender has gone', () => {
    const { world, echo } = worldWithEcho();
    echo.late = true;
    const [stays, goes] = [new Quick(world, { clientId: 'a' }), new Quick(world, { clientId: 'b' })];
    stays.publish(ENROLL, 'one');
    goes.publish(ENROLL, 'two');
    goes.link.close();
    for (const request of echo.requests) echo.answer(request);
    assert.deepEqual(stays.messages(), ['re: one']);
    assert.deepEqual(goes.messages(), []);
  });

  test('that is too large does not reach the service', () => {
    const { world, echo } = worldWithEcho();
    const sender = new Quick(world).publish(ENROLL, 'x'.repeat(101));
    assert.deepEqual(sender.messages(), ['{"error": "request too large"}']);
    assert.equal(echo.requests.length, 0);
  });

  test('is answered as not available once the service is gone', () => {
    const { world, echo } = worldWithEcho();
    world.broker.services.remove(echo);
    assert.deepEqual(new Quick(world).publish(ENROLL, 'x').messages(), ['{"error": "endpoint not available"}']);
  });

  test('whose service throws costs the sender its connection and nobody else anything', () => {
    const { world, echo } = worldWithEcho();
    echo.handle = () => {
      throw new Error('a mistake');
    };
    const other = new Quick(world, { clientId: 'b' }).subscribe('t');
    const sender = new Quick(world, { clientId: 'a' }).publish(ENROLL, 'x');
    assert.equal(sender.link.ended, true);
    assert.deepEqual(other.publish('t', 'still here').messages(), ['still here']);
  });
});

describe('a connection with a pass', () => {
  test('gets its answer, with what it has shown in the hand of the service', () => {
    const { world, echo } = worldWithEcho();
    const client = confinedClient(world).publish(ENROLL, 'hello', { qos: 1, packetId: 3 });
    assert.deepEqual(
      client.hear().map(({ name }) => name),
      ['CONNACK', 'PUBACK', 'PUBLISH'],
    );
    assert.equal(echo.requests[0]?.shown, 'what it has shown');
  });

  test('may subscribe to the answer and ping', () => {
    const { world } = worldWithEcho();
    const client = confinedClient(world);
    client.say(
      bytes.subscribe(5, 1, [
        [`${ENROLL}/response`, 2],
        ['#', 0],
        ['t', 1],
      ]),
      bytes.PINGREQ,
    );
    const [, suback, pong] = client.hear();
    assert.deepEqual(suback?.codes, [0, 0x87, 0x87]);
    assert.equal(pong?.name, 'PINGRESP');
    assert.equal(world.broker.tree.size, 0);
  });

  const others: [string, Buffer][] = [
    ['a PUBLISH elsewhere', bytes.publish({ topic: 't', payload: 'x', qos: 1, packetId: 1 })],
    ['a PUBLISH to another service', bytes.publish({ topic: CONTROL, payload: 'x' })],
    ['a PUBACK', bytes.ack(bytes.PUBACK, 1)],
    ['a PUBREC', bytes.ack(bytes.PUBREC, 1)],
    ['a PUBCOMP', bytes.ack(bytes.PUBCOMP, 1)],
    ['an AUTH', bytes.hex('f0 00')],
    ['a second CONNECT', bytes.connect(REAL)],
  ];
  for (const [name, packet] of others) {
    test(`is ended by ${name}, and told why`, () => {
      const { world, echo } = worldWithEcho();
      const all = new Quick(world, { clientId: 'all' }).subscribe('#');
      const client = confinedClient(world).say(packet);
      const end = client.hear().at(-1)!;
      assert.equal(end.name, 'DISCONNECT');
      assert.equal(end.code, 0x87);
      assert.deepEqual(end.properties, [['reasonString', 'this connection may only enrol']]);
      assert.equal(client.link.ended, true);
      assert.deepEqual(all.messages(), []);
      assert.equal(echo.requests.length, 0);
    });
  }

  test('leaves the session of its client identifier, its connection and the will alone', () => {
    const { world } = worldWithEcho();
    const all = new Quick(world, { clientId: 'all' }).subscribe('#');
    const real = new Quick(world, REAL).subscribe('t');
    const client = confinedClient(world, {
      will: { topic: 'will', payload: 'gone' },
      properties: [['sessionExpiry', 9]],
    });
    const [connack] = client.hear();
    assert.equal(connack?.code, 0);
    assert.deepEqual(
      connack.properties.find(([name]) => name === 'sessionExpiry'),
      ['sessionExpiry', 0],
    );
    client.link.close();
    assert.equal(real.publish('t', 'I am still here').link.ended, false);
    assert.deepEqual(real.messages(), ['I am still here']);
    assert.deepEqual(all.messages(), ['I am still here']);
    const { sessionsTotal, sessionsConnected } = world.broker.gauges();
    assert.deepEqual([sessionsTotal, sessionsConnected, world.broker.confined], [2, 2, 0]);
  });

  test('has a minute, however often it pings', () => {
    const { world } = worldWithEcho();
    const client = confinedClient(world, { keepAlive: 600 });
    world.advance(59_000);
    assert.equal(client.say(bytes.PINGREQ).link.ended, false);
    world.advance(2_000);
    assert.equal(client.hear().at(-1)?.code, 0xa0);
    assert.equal(client.link.ended, true);
  });

  test('is one of 200 at most', () => {
    const { world } = worldWithEcho();
    const clients = Array.from({ length: 201 }, () => confinedClient(world));
    assert.equal(clients[199]!.hear()[0]?.code, 0);
    assert.equal(clients[200]!.hear()[0]?.code, 0x89);
    clients[0]!.link.close();
    assert.equal(confinedClient(world).hear()[0]?.code, 0);
  });

  test('is what a login may lead to, and what a login that has become less is put out for', async () => {
    let now: ServicePass | undefined = pass;
    const access: AccessControl = {
      ...openAccess,
      authenticate: () => (now === undefined ? { allowed: true } : { allowed: true, pass: now }),
    };
    const { world } = worldWithEcho({ access });
    assert.equal(new Quick(world, REAL).publish('t', 'x').link.ended, true);
    now = undefined;
    const ordinary = new Quick(world, REAL).publish('t', 'x');
    await world.broker.recheck();
    assert.equal(ordinary.link.ended, false);
    now = pass;
    await world.broker.recheck();
    assert.equal(ordinary.link.ended, true);
  });
});

describe('what services may do to connections', () => {
  test('whoever is named is disconnected with 0x98, without a will, and keeps the session', () => {
    const { world } = worldWithEcho();
    const all = new Quick(world, { clientId: 'all' }).subscribe('#');
    const properties: bytes.Property[] = [['sessionExpiry', 100]];
    const client = new Quick(world, { ...REAL, username: 'u', properties, will: { topic: 'will' } });
    assert.equal(
      world.broker.control.disconnect(({ username }) => username === 'u', 'because'),
      1,
    );
    assert.equal(client.hear().at(-1)?.code, 0x98);
    assert.deepEqual(all.messages(), []);
    assert.equal(world.broker.sessions.has('pump'), true);
  });

  test('subscriptions that the rules no longer allow are dropped, of absent clients too', () => {
    let allowed = true;
    const access: AccessControl = { ...openAccess, maySubscribe: (_, filter) => allowed || filter === 'b' };
    const { world } = worldWithEcho({ access });
    const client = new Quick(world, { ...REAL, properties: [['sessionExpiry', 100]] }).subscribe('a').subscribe('b');
    client.link.close();
    allowed = false;
    assert.equal(
      world.broker.control.dropForbiddenSubscriptions(() => true),
      1,
    );
    assert.deepEqual(
      world.broker.sessions
        .get('pump')!
        .subscriptions.all()
        .map(({ filter }) => filter),
      ['b'],
    );
  });
});
