/** Plugins in JavaScript as users meet them: files, hooks, faults, reload, and the examples as they stand. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type TestContext } from 'node:test';
import { type Client, connect, type Message } from '../src/client/mod.ts';
import { type BrokerOptions, createBroker, type PluginModule } from '../src/embed/mod.ts';
import { run, startBroker, temporaryDirectory, until, zancudo } from './harness/mod.ts';

const example = (name: string): string => fileURLToPath(new URL(`../examples/plugins/${name}.mjs`, import.meta.url));

interface Hours {
  minutesOf: (text: string) => number;
  isOpen: (now: Date, hours: { from: number; until: number }) => boolean;
  millisecondsToTurn: (now: Date, hours: { from: number; until: number }) => number;
}

interface Meeting {
  /** Lines of the log, errors and warnings among them. */
  said: string[];
  client: (clientId: string, username?: string) => Promise<Client & { got: string[]; messages: Message[] }>;
}

/** A broker with one listener, and clients for it. */
async function meeting(t: TestContext, options: BrokerOptions): Promise<Meeting> {
  const said: string[] = [];
  const broker = createBroker({
    listeners: [{ host: '127.0.0.1', allowAnonymous: true }],
    log: (_, text) => void said.push(text),
    ...options,
  });
  await broker.start();
  t.after(() => broker.stop());
  const client: Meeting['client'] = async (clientId, username) => {
    const messages: Message[] = [];
    const got: string[] = [];
    const made = await connect({
      host: '127.0.0.1',
      port: broker.listeners[0]!.port,
      clientId,
      ...(username === undefined ? {} : { username }),
      onMessage: message => {
        messages.push(message);
        got.push(`${message.topic} ${message.payload.toString()}`);
      },
    });
    t.after(() => made.disconnect());
    return Object.assign(made, { got, messages });
  };
  return { said, client };
}

const only = (...plugins: PluginModule[]): BrokerOptions => ({ plugins });

test('what one plugin makes of a message the next one sees, and subscribers get', async t => {
  const { client } = await meeting(
    t,
    only(
      { messageIn: ({ payload }) => ({ payload: `${payload.toString()}1`, topic: 'changed' }) },
      {
        messageIn: ({ topic, payload }, { clientId }) => ({
          payload: `${payload.toString()}2 ${topic}`,
          properties: { contentType: 'text/plain', userProperties: [['from', clientId]] },
          retain: true,
        }),
      },
    ),
  );
  const reader = await client('reader');
  await reader.subscribe('#', { qos: 2 });
  const writer = await client('writer');
  for (const qos of [0, 1, 2] as const) await writer.publish('t', `q${qos}-`, { qos });
  await until('three messages', () => reader.got.length === 3);
  assert.deepEqual(reader.got, ['changed q0-12 changed', 'changed q1-12 changed', 'changed q2-12 changed']);
  assert.deepEqual(reader.messages[2]?.properties, { contentType: 'text/plain', userProperties: [['from', 'writer']] });
  const late = await client('late');
  await late.subscribe('changed');
  await until('what is retained', () => late.got.length === 1);
  assert.deepEqual(late.got, ['changed q2-12 changed']);
});

test('a message that is refused or dropped reaches nobody, and its publisher is told only of the first', async t => {
  const { client } = await meeting(
    t,
    only({
      messageIn({ topic }) {
        if (topic === 'refused') return { refuse: 'no', code: 'quota-exceeded' };
        return topic === 'dropped' ? { drop: 'nobody needs it' } : undefined;
      },
    }),
  );
  const both = await client('both');
  await both.subscribe('#');
  const codes = [];
  for (const qos of [1, 2] as const)
    for (const topic of ['refused', 'dropped', 'fine'])
      codes.push((await both.publish(topic, 'x', { qos })).reasonCode);
  assert.deepEqual(codes, [0x97, 0, 0, 0x97, 0, 0]);
  await until('the good ones', () => both.got.length === 2);
  assert.deepEqual(both.got, ['fine x', 'fine x']);
});

test('each subscriber gets its own copy, kept back from some, and of retained messages too', async t => {
  const { client } = await meeting(
    t,
    only({
      messageOut({ payload }, to) {
        if (to.username === null) return { drop: 'for users alone' };
        return { payload: `${payload.toString()} for ${to.username}` };
      },
    }),
  );
  const writer = await client('writer');
  const [ann, bob, nobody] = [await client('1', 'ann'), await client('2', 'bob'), await client('3')];
  for (const each of [ann, bob, nobody]) await each.subscribe('t', { qos: 1 });
  for (const qos of [0, 1] as const) await writer.publish('t', `q${qos}`, { qos, retain: true });
  await until('two each', () => ann.got.length + bob.got.length === 4);
  assert.deepEqual([ann.got, bob.got], [['t q0 for ann', 't q1 for ann'], ['t q0 for bob', 't q1 for bob']]); // prettier-ignore
  const late = await client('4', 'cid');
  await late.subscribe('t', { qos: 1 });
  await nobody.subscribe('t');
  await until('what is retained', () => late.got.length === 1);
  assert.deepEqual([late.got, nobody.got], [['t q1 for cid'], []]);
});

test('a hook that throws, answers nonsense or never answers refuses what it was asked, and nothing else', async t => {
  const wrong: Record<string, () => unknown> = {
    throws: () => assert.fail('on purpose'),
    number: () => 7,
    topic: () => ({ topic: 'a/#' }),
    reserved: () => ({ topic: '$SYS/broker/version' }),
    misspelt: () => ({ paylod: 'x' }),
    promise: () => Promise.reject(new Error('late')),
  };
  const { client, said } = await meeting(t, {
    plugins: [
      {
        authenticate: ({ username }) => (username === 'slow' ? new Promise(() => undefined) : undefined),
        messageIn: ({ topic }) => wrong[topic]?.() as never,
        authorize: ({ topic }) => (topic === 'forbidden' ? (true as never) : undefined),
      },
    ],
  });
  const writer = await client('writer');
  await writer.subscribe('#');
  for (const topic of Object.keys(wrong)) assert.equal((await writer.publish(topic, 'x', { qos: 1 })).reasonCode, 0x83);
  assert.equal((await writer.publish('forbidden', 'x', { qos: 1 })).reasonCode, 0x87);
  assert.equal((await writer.publish('fine', 'x', { qos: 1 })).reasonCode, 0);
  await until('the good one', () => writer.got.length > 0);
  assert.deepEqual(writer.got, ['fine x']);
  const faults = said.filter(text => text.startsWith('Plugin plugins[0] failed'));
  assert.match(faults[0] ?? '', /in messageIn: AssertionError: on purpose \(.*plugins\.test\.ts:\d+:\d+\); the message is refused\./); // prettier-ignore
  // Once for each hook: the others of messageIn are counted and not said.
  assert.equal(faults.length, 2);
});

test('a login without an answer in time is refused, while others come in', async t => {
  const folder = temporaryDirectory();
  t.after(() => folder.remove());
  const path = join(folder.path, 'slow.mjs');
  writeFileSync(path, `export default { authenticate: l => l.username === 'slow' ? new Promise(() => {}) : 'allow' }`);
  const { client, said } = await meeting(t, { plugins: [{ path, timeoutSeconds: 1 }] });
  const slow = client('1', 'slow');
  const refused = assert.rejects(slow, { reasonCode: 0x87 });
  await client('2', 'quick');
  await refused;
  assert.ok(said.some(text => /failed in authenticate: Error: no answer within 1 s \(plugin_timeout\)/.test(text)));
});

test('a plugin that fails too often refuses everything, or is left out, as its operator wants', async t => {
  const folder = temporaryDirectory();
  t.after(() => folder.remove());
  const path = join(folder.path, 'bad.mjs');
  writeFileSync(path, `export default { messageIn(m) { if (m.topic === 'bad') throw new Error('again'); } }`);
  for (const [whenFaulty, code] of [
    ['refuse', 0x83],
    ['switch_off', 0],
  ] as const) {
    // prettier-ignore
    const { client, said } = await meeting(t, { plugins: [{ path, faultsMax: 2, whenFaulty }] });
    const writer = await client('writer');
    await writer.subscribe('good');
    const publish = async (topic: string): Promise<number> => (await writer.publish(topic, '', { qos: 1 })).reasonCode;
    for (let i = 0; i < 2; i++) assert.equal(await publish('bad'), 0x83);
    assert.equal(await publish('good'), 0);
    await publish('bad');
    assert.equal(await publish('good'), code);
    assert.ok(said.some(text => text.includes('has failed more than 2 times in a minute')));
  }
});

test('what a plugin publishes arrives, and is not shown to it', async t => {
  const { client } = await meeting(
    t,
    only(broker => ({
      messageIn({ topic, payload }) {
        broker.publish('echo', payload, { qos: 1 });
        return topic === 'echo' ? { drop: 'never' } : undefined;
      },
    })),
  );
  const both = await client('both');
  await both.subscribe('echo', { qos: 1 });
  await both.publish('a', 'once', { qos: 1 });
  await until('the echo', () => both.got.length === 1);
  assert.deepEqual(both.got, ['echo once']);
});

test('answers about rights are remembered until the plugin says that they have changed', async t => {
  let mayWrite = true;
  let change = (): void => undefined;
  const { client } = await meeting(
    t,
    only(broker => {
      change = () => broker.rulesChanged();
      return { authorize: ({ action }) => (action === 'publish' && !mayWrite ? { deny: 'closed' } : 'allow') };
    }),
  );
  const writer = await client('writer');
  const code = async (): Promise<number> => (await writer.publish('t', '', { qos: 1 })).reasonCode;
  const before = await code();
  mayWrite = false;
  change();
  assert.deepEqual([before, await code()], [0x10, 0x87]);
});

test('a right that takes time to look up holds up the client it is about, and is asked for once', async t => {
  const asked: string[] = [];
  let changed = (): void => undefined;
  let allowed = true;
  const { client } = await meeting(
    t,
    only(broker => {
      changed = () => broker.rulesChanged();
      return {
        authorize: ({ topic }) => (topic === 'quick' ? 'allow' : undefined),
        async authorizeLater({ action, topic, client: { clientId } }) {
          asked.push(`${clientId} ${action} ${topic}`);
          await new Promise(resolve => setTimeout(resolve, 20));
          if (topic === 'gone') throw new Error('nobody to ask');
          return allowed ? 'allow' : { deny: 'not any more' };
        },
      };
    }),
  );
  const [reader, writer] = [await client('reader'), await client('writer')];
  await reader.subscribe('t', { qos: 1 });
  const code = async (topic: string): Promise<number> => (await writer.publish(topic, topic, { qos: 1 })).reasonCode;
  const hangs = code('gone');
  assert.equal((await reader.publish('quick', '', { qos: 1 })).reasonCode, 0x10);
  assert.deepEqual([await hangs, await code('t'), await code('t')], [0x87, 0, 0]);
  await until('both messages', () => reader.got.length === 2);
  assert.deepEqual(asked, ['reader subscribe t', 'writer publish gone', 'writer publish t', 'reader receive t']);
  allowed = false;
  changed();
  assert.equal(await code('t'), 0x87);
});

test('zancudo explain asks the plugin, where no broker runs, too', async t => {
  const folder = temporaryDirectory();
  t.after(() => folder.remove());
  writeFileSync(join(folder.path, 'rules.mjs'), `export default { authorize: () => ({ deny: 'it is Sunday' }) };`);
  const conf = join(folder.path, 'mosquitto.conf');
  writeFileSync(conf, 'listener 1883 127.0.0.1\nallow_anonymous true\nplugin rules.mjs\n');
  const { code, stdout } = await run(zancudo, ['explain', '--files', '-c', conf, 'lamp', 'publish', 'a']);
  assert.match(stdout, /Denied.*\n.*plugin rules\.mjs says no: it is Sunday/s);
  assert.notEqual(code, 0);
});

test('a plugin without hooks, or with one that is misspelt, stops the start with a line that says so', async () => {
  const startOf = (plugin: object): Promise<void> => createBroker({ plugins: [plugin], log: null }).start();
  await assert.rejects(startOf({ onConect: () => undefined }), /function 'onConect', which is no hook/);
  await assert.rejects(startOf({ messageIn: 7 }), /'messageIn' is no function/);
  await assert.rejects(startOf({}), /none of the hooks/);
  await assert.rejects(startOf({ start: () => Promise.reject(new Error('no table')) }), /Error: no table/);
});

test('SIGHUP loads a changed file with what it imports, hands over, and keeps the one that runs if that fails', async t => {
  const broker = await startBroker({
    conf: at => {
      writeFileSync(join(at.directory, 'word.mjs'), `export const word = 'first';`);
      writeFileSync(
        join(at.directory, 'plugin.mjs'),
        `import { word } from './word.mjs';
         export default broker => {
           let count = broker.handedOver ?? 0;
           broker.log('notice', \`\${word} began with \${count}, \${broker.options.colour}\`);
           return { messageIn: () => ({ payload: \`\${word} \${++count}\` }), handOver: () => count };
         };`,
      );
      return `listener ${at.port()} 127.0.0.1\nallow_anonymous true\nplugin plugin.mjs\nplugin_opt_colour red\n`;
    },
  });
  t.after(() => broker.stop());
  const got: string[] = [];
  const client = await connect({
    port: broker.ports[0]!,
    onMessage: ({ payload }) => void got.push(payload.toString()),
  });
  t.after(() => client.disconnect());
  await client.subscribe('t');
  const publish = async (): Promise<string | undefined> => {
    const before = got.length;
    await client.publish('t', '', { qos: 1 });
    await until('the message', () => got.length > before);
    return got.at(-1);
  };
  await broker.logged(/first began with 0, red/);
  assert.equal(await publish(), 'first 1');
  writeFileSync(join(broker.directory, 'word.mjs'), `export const word = 'second';`);
  broker.process.kill('SIGHUP');
  await broker.logged(/second began with 1, red/);
  await until('the new one', async () => (await publish())?.startsWith('second') === true);
  const before = Number(got.at(-1)?.split(' ')[1]);
  writeFileSync(join(broker.directory, 'word.mjs'), `export const word = ;`);
  broker.process.kill('SIGHUP');
  await broker.logged(/SyntaxError: .*word\.mjs:1\)/);
  await broker.logged(/The one that runs goes on as it is/);
  assert.equal(await publish(), `second ${before + 1}`);
});

test('a plugin that never returns is named in the log, by a thread of its own', async t => {
  const broker = await startBroker({
    conf: at => {
      writeFileSync(join(at.directory, 'loop.mjs'), `export default { messageIn: () => { for (;;); } };`);
      return `listener ${at.port()} 127.0.0.1\nallow_anonymous true\nplugin ./loop.mjs\n`;
    },
  });
  t.after(() => broker.process.kill('SIGKILL'));
  const client = await connect({ port: broker.ports[0]!, reconnect: false });
  await client.publish('t', 'x');
  await broker.logged(/held up for \d+ s: plugin \.\/loop\.mjs does not return from messageIn/);
});

test('example: outside the hours nobody commands a machine but the foreman', async t => {
  const open = { topics: 'machines/+/command', from: '00:00', until: '24:00' };
  const closed = { ...open, until: '00:00', always: 'foreman' };
  for (const [options, user, code] of [
    [open, 'ann', 0x10],
    [closed, 'ann', 0x87],
    [closed, 'foreman', 0x10],
  ] as const) {
    const { client } = await meeting(t, { plugins: [{ path: example('office-hours'), options }] });
    const writer = await client('writer', user);
    assert.equal((await writer.publish('machines/7/command', 'go', { qos: 1 })).reasonCode, code);
    assert.equal((await writer.publish('machines/7/state', 'idle', { qos: 1 })).reasonCode, 0x10);
  }
  const hours = (await import(example('office-hours'))) as Hours;
  const { isOpen, millisecondsToTurn, minutesOf } = hours;
  const night = { from: minutesOf('22:00'), until: minutesOf('06:30') };
  const at = (time: string): Date => new Date(`2026-03-04T${time}`);
  assert.deepEqual(['21:59', '22:00', '06:29', '06:30'].map(time => isOpen(at(time), night)), [false, true, true, false]); // prettier-ignore
  assert.equal(millisecondsToTurn(at('06:29:30'), night), 30_000);
});

test('example: a payload that breaks the rules is refused, and Fahrenheit becomes Celsius', async t => {
  const folder = temporaryDirectory();
  t.after(() => folder.remove());
  const rules = join(folder.path, 'rules.json');
  writeFileSync(rules, JSON.stringify({ 'sensors/+': { celsius: { type: 'number', min: -60, max: 90 } } }));
  const { client } = await meeting(t, { plugins: [{ path: example('payload-check'), options: { rules } }] });
  const sensor = await client('sensor');
  await sensor.subscribe('#');
  const send = async (payload: string): Promise<number> =>
    (await sensor.publish('sensors/1', payload, { qos: 1 })).reasonCode;
  for (const bad of ['warm', '7', '{}', '{"celsius":"7"}', '{"celsius":91}', '{"celsius":7,"x":1}'])
    assert.equal(await send(bad), 0x99, bad);
  for (const good of ['{"celsius":7}', '{"fahrenheit":50}']) assert.equal(await send(good), 0);
  await until('the good ones', () => sensor.got.length === 2);
  assert.deepEqual(sensor.got, ['sensors/1 {"celsius":7}', 'sensors/1 {"celsius":10}']);
  assert.deepEqual(sensor.messages[1]?.properties.userProperties, [['converted', 'fahrenheit']]);
});

test('example: events go to a file, and to a web server that was away', async t => {
  const folder = temporaryDirectory();
  t.after(() => folder.remove());
  const file = join(folder.path, 'events.jsonl');
  const lines: string[] = [];
  let answers = 0;
  const server = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => answers > 0 && lines.push(...text.trim().split('\n')));
    request.on('end', () => response.writeHead(answers++ === 0 ? 503 : 204).end());
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await until('the server', () => server.listening);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
  const path = example('event-export');
  const { client, said } = await meeting(t, {
    plugins: [
      { path, options: { to: file, messages: 'alarms/#' } },
      { path, options: { to: url } },
    ],
  });
  const one = await client('one');
  await one.subscribe('a');
  await one.publish('alarms/fire', 'run', { qos: 1 });
  await one.publish('other', 'x', { qos: 1 });
  await one.disconnect();
  const eventsOf = (texts: string[]): string[] => texts.map(text => (JSON.parse(text) as { event: string }).event);
  const written = (): string[] => readFileSync(file, 'utf8').trim().split('\n');
  await until('the last event', () => lines.length === 3);
  await until('the file', () => written().length === 4);
  assert.deepEqual(eventsOf(written()), ['connect', 'subscribe', 'message', 'disconnect']);
  assert.deepEqual(eventsOf(lines), ['connect', 'subscribe', 'disconnect']);
  assert.ok(said.some(text => text.includes('takes no events: it answered 503')));
});
