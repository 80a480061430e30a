/** Limits and listener rules, and the packets that say so: those of Mosquitto 2.1. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PUBREL, ack, connect, frame, hex, propertyField, publish, subscribe, u16, u8 } from './bytes.ts';
import type { ConnectFields, Version } from './bytes.ts';
import { openLab, unique } from './lab.ts';
import type { Lab } from './lab.ts';

const lab = await openLab({
  global: ['max_queued_messages 5', 'message_size_limit 100', 'max_inflight_messages 3', 'queue_qos0_messages false'],
  listeners: [[], ['max_topic_alias_broker 2', 'max_topic_alias 3'], ['accept_protocol_versions 4'], ['max_qos 1']],
});
const strict = await openLab({
  global: ['allow_zero_length_clientid false', 'clientid_prefixes good-', 'retain_available false'],
});
const small = await openLab({ global: ['global_max_clients 2'] });
const limited = await openLab({
  global: ['acl_file DIR/acl'],
  files: { acl: 'topic readwrite open/#\ntopic read readable\ntopic write writable\n' },
});
const busy = await openLab({ listeners: [['max_connections 2']] });

/** CONNECT is answered with this and closed; null for a close without a word. */
async function refuses(at: Lab, fields: ConnectFields, answer: string | null, listener = 0): Promise<void> {
  const peer = await at.peer(listener);
  peer.version = fields.version ?? 5;
  peer.send(connect({ clientId: unique('client'), ...fields }));
  if (answer !== null) await peer.expectBytes(answer);
  await peer.expectClose();
}

describe('CONNECT', () => {
  test('an empty client id where none is allowed: 2 in 3.x, 0x80 in 5', async () => {
    await refuses(strict, { version: 4, clientId: '' }, '20 02 00 02');
    await refuses(strict, { clientId: '' }, '20 03 00 80 00');
  });

  test('a client id without the prefix asked for: 5 in 3.x, 0x87 in 5', async () => {
    await refuses(strict, { version: 3, clientId: 'bad' }, '20 02 00 05');
    await refuses(strict, { version: 4, clientId: 'bad' }, '20 02 00 05');
    await refuses(strict, { clientId: 'bad' }, '20 03 00 87 00');
    await strict.client({ clientId: 'good-1' });
  });

  test('a retained will where nothing is retained: a close in 3.x, 0x9A in 5', async () => {
    const fields = { clientId: 'good-2', will: { topic: 't', retain: true } };
    await refuses(strict, { ...fields, version: 4 }, null);
    await refuses(strict, fields, '20 03 00 9a 00');
  });

  test('a retained PUBLISH where nothing is retained: a close in 3.x, 0x9A in 5', async () => {
    for (const version of [4, 5] as const) {
      const client = await strict.client({ version, clientId: `good-${version}` });
      client.send(publish({ version, topic: 't', payload: 'x', retain: true }));
      if (version === 5) await client.expectDisconnect(0x9a);
      else await client.expectClose();
    }
  });

  test('a will above the maximum QoS: a close in 3.x, 0x9B in 5', async () => {
    await refuses(lab, { version: 4, will: { topic: 't', qos: 2 } }, null, 3);
    await refuses(lab, { will: { topic: 't', qos: 2 } }, '20 05 00 9b 02 24 01', 3);
  });

  test('a will payload above the size limit: 5 in 3.x, 0x95 in 5', async () => {
    const will = { topic: 't', payload: 'x'.repeat(101) };
    await refuses(lab, { version: 4, will }, '20 02 00 05');
    await refuses(lab, { will }, '20 03 00 95 00');
  });

  test('a will topic with too many levels, or below $CONTROL, closes', async () => {
    for (const topic of ['/'.repeat(201), '$CONTROL/x/y'])
      for (const version of [4, 5] as const) await refuses(lab, { version, will: { topic } }, null);
  });

  test('a version that the listener does not accept: 0x84 in 5, 1 in 3.x', async () => {
    await refuses(lab, { version: 5 }, '20 03 00 84 00', 2);
    await refuses(lab, { version: 3 }, '20 02 00 01', 2);
  });

  test('a CONNECT of more than 100000 bytes closes', async () => {
    const peer = await lab.peer();
    peer.send(hex('10 a1 8d 06'));
    await peer.expectClose();
  });

  test('clients above global_max_clients: a close in 3.x, 0x89 in 5; a known client still gets in', async () => {
    await small.client({ clientId: 'one' });
    await small.client({ clientId: 'two' });
    await refuses(small, { clientId: 'three', version: 4 }, null);
    await refuses(small, { clientId: 'three' }, '20 03 00 89 00');
    await small.client({ clientId: 'two' });
  });

  test('a socket above max_connections is closed at once', async () => {
    await busy.client();
    await busy.client();
    const peer = await busy.peer();
    await peer.expectClose();
  });
});

describe('PUBLISH', () => {
  test('a payload above message_size_limit: taken and dropped in 3.x, 0x95 in 5', async () => {
    const topic = unique('size');
    const watch = await lab.client();
    await watch.subscribe(topic);
    const payload = 'x'.repeat(101);
    const four = await lab.client({ version: 4 });
    await four.publish(topic, payload, { qos: 1 });
    const five = await lab.client();
    assert.equal(await five.publish(topic, payload, { qos: 1 }), 0x95);
    assert.equal(await five.publish(topic, payload, { qos: 2 }), 0x95);
    assert.equal(await five.publish(topic, 'x'.repeat(100), { qos: 1 }), 0);
    await watch.expectMessage('x'.repeat(100));
    await watch.expectNothing();
  });

  test('the receive maximum told is max_inflight_messages, and one QoS 2 message more is refused with 0x97', async () => {
    const client = await lab.client();
    const topic = unique('topic');
    for (const id of [1, 2, 3]) {
      client.sendPublish(topic, 'm', { qos: 2, packetId: id });
      await client.expectBytes(`50 02 00 0${id}`);
    }
    client.sendPublish(topic, 'm', { qos: 2, packetId: 4 });
    await client.expectBytes('50 03 00 04 97');
    client.send(ack(PUBREL, 1));
    await client.expectBytes('70 02 00 01');
    client.sendPublish(topic, 'm', { qos: 2, packetId: 4 });
    await client.expectBytes('50 02 00 04');
  });

  test('max_topic_alias decides which aliases are taken', async () => {
    const client = await lab.client({}, 1);
    client.send(publish({ topic: 't', properties: [['topicAlias', 3]] }));
    await client.expectNothing();
    client.send(publish({ topic: 't', properties: [['topicAlias', 4]] }));
    await client.expectDisconnect(0x94);
  });

  test('max_topic_alias_broker decides how many aliases are given', async () => {
    const prefix = unique('alias');
    const client = await lab.client({ properties: [['topicAliasMaximum', 100]] }, 1);
    await client.subscribe(`${prefix}/#`);
    const from = await lab.client();
    const seen = [];
    for (const name of ['a', 'b', 'c']) {
      await from.publish(`${prefix}/${name}`, 'm');
      seen.push((await client.receive('PUBLISH')).properties);
    }
    assert.deepEqual(seen, [[['topicAlias', 1]], [['topicAlias', 2]], []]);
  });

  test('a PUBLISH above the maximum packet size: 0x95 in 5 as soon as its header is there, a close in 3.x', async () => {
    for (const version of [4, 5] as const) {
      const client = await lab.client({ version });
      client.send('30 82 89 7a');
      if (version === 5) await client.expectDisconnect(0x95);
      else await client.expectClose();
    }
  });

  test('acks and DISCONNECT above 10000 bytes, SUBSCRIBE and AUTH above 100000, close without a word', async () => {
    for (const bytes of [
      '40 91 4e',
      '50 91 4e',
      '62 91 4e',
      '70 91 4e',
      'e0 91 4e',
      '82 a1 8d 06',
      'a2 a1 8d 06',
      'f0 a1 8d 06',
    ]) {
      const client = await lab.client();
      client.send(bytes);
      await client.expectClose();
    }
  });

  test('a packet identifier still open, with other content, is a new message', async () => {
    const topic = unique('topic');
    const watch = await lab.client();
    await watch.subscribe(topic);
    const client = await lab.client();
    client.sendPublish(topic, 'one', { qos: 2, packetId: 1 });
    await client.expectBytes('50 02 00 01');
    client.sendPublish(topic, 'two', { qos: 2, packetId: 1 });
    await client.expectBytes('50 02 00 01');
    client.send(ack(PUBREL, 1));
    await client.expectBytes('70 02 00 01');
    await watch.expectMessage('two');
    await watch.expectNothing();
  });
});

describe('queues', () => {
  const SESSION_60 = [['sessionExpiry', 60]] as const;

  test('an offline session keeps max_queued_messages: the oldest stay, the newest are dropped', async () => {
    const clientId = unique('offline');
    const topic = unique('topic');
    const first = await lab.client({ clientId, properties: SESSION_60 });
    await first.subscribe(topic, 1);
    await first.disconnect();
    const from = await lab.client();
    for (let n = 0; n < 8; n += 1) await from.publish(topic, `${n}`, { qos: 1 });
    const second = await lab.client({ clientId, clean: false, properties: SESSION_60 });
    const seen = [];
    for (let n = 0; n < 5; n += 1) seen.push((await second.take()).payload.toString());
    assert.deepEqual(seen, ['0', '1', '2', '3', '4']);
    await second.expectNothing();
  });

  test('a connected client keeps as many beside those in flight', async () => {
    const topic = unique('topic');
    const to = await lab.client({ properties: [['receiveMaximum', 2]] });
    await to.subscribe(topic, 1);
    const from = await lab.client();
    for (let n = 0; n < 12; n += 1) await from.publish(topic, `${n}`, { qos: 1 });
    const seen: string[] = [];
    for (let n = 0; n < 7; n += 1) seen.push((await to.take()).payload.toString());
    assert.deepEqual(seen, ['0', '1', '2', '3', '4', '5', '6']);
    await to.expectNothing();
  });
});

describe('access rules', () => {
  test('a PUBLISH that is denied: 0x87 in 5, acknowledged in 3.x, and delivered to nobody', async () => {
    const watch = await limited.client();
    await watch.subscribe('open/#');
    for (const version of [4, 5] as Version[]) {
      const client = await limited.client({ version });
      for (const qos of [1, 2]) {
        const code = await client.publish('readable', 'm', { qos });
        assert.equal(code, version === 5 ? 0x87 : 0);
      }
      await client.publish('readable', 'm');
    }
    await watch.expectNothing();
  });

  test('what a client may not read is not delivered to it', async () => {
    const client = await limited.client();
    await client.subscribe('#', 1);
    const from = await limited.client();
    await from.publish('writable', 'secret', { qos: 1 });
    await from.publish('open/x', 'public', { qos: 1 });
    assert.deepEqual(await client.drain(), ['public']);
  });
});

describe('SUBSCRIBE', () => {
  test('a retained message comes once for each filter of one SUBSCRIBE', async () => {
    const prefix = unique('retained');
    const client = await lab.client();
    await client.publish(`${prefix}/a`, 'kept', { retain: true });
    await client.subscribe([
      [`${prefix}/#`, 0],
      [`${prefix}/a`, 0],
    ]);
    assert.deepEqual(await client.drain(), ['kept', 'kept']);
  });

  test('a subscription is capped at the maximum QoS of its listener', async () => {
    const client = await lab.client({}, 3);
    assert.deepEqual(await client.subscribe(unique('t'), 2), [1]);
  });

  test('the largest subscription identifier is taken, one that needs five bytes is malformed', async () => {
    const client = await lab.client();
    const id = hex('0b ff ff ff 7f');
    assert.deepEqual(await client.subscribe(unique('t'), 0, id), [0]);
    client.send(frame(0x82, u16(9), propertyField(hex('0b ff ff ff ff 01')), hex('0001 74'), u8(0)));
    await client.expectDisconnect(0x81);
  });

  test('filters with more than 200 separators end the connection', async () => {
    for (const version of [4, 5] as const) {
      const client = await lab.client({ version });
      client.send(subscribe(version, 1, [['/'.repeat(201), 0]]));
      if (version === 5) await client.expectDisconnect(0x81);
      else await client.expectClose();
    }
  });
});
