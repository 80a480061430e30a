/** When a bridge connects, what it does when it cannot, what a reload does to it, and what it tells. */
import assert from 'node:assert/strict';
import { writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort, makeCertificates, needs, run, temporaryDirectory, until, zancudo } from '../harness/mod.ts';
import { connected, side, watch } from './sides.ts';

test('a lazy bridge connects when enough messages wait, QoS 0 among them, and leaves when it is idle', async t => {
  const there = await side(t);
  const reader = await watch(t, there.port, ['#']);
  const conf = `connection up\naddress 127.0.0.1:${there.port}\nstart_type lazy\nthreshold 3\nidle_timeout 1\ntopic # out 1\n`;
  const here = await side(t, { conf: () => conf });
  const writer = await watch(t, here.port, ['$SYS/zancudo/bridges/up/state']);
  await writer.has('$SYS/zancudo/bridges/up/state', 'idle');
  await writer.client.publishAsync('a', '0', { qos: 0 });
  await writer.client.publishAsync('a', '1', { qos: 1 });
  assert.doesNotMatch(here.log, /Connecting bridge/);
  await writer.client.publishAsync('a', '2', { qos: 1 });
  await reader.has('a', '2');
  assert.deepEqual(reader.texts('a'), ['0', '1', '2']);
  await here.broker.logged(/up has exceeded idle timeout/);
  await here.broker.logged(/Client local\.\S+ \[\(null\):0\] disconnected/);
});

test('start_type once tries once, and the reason it stopped is in the log and in $SYS', async t => {
  const nobody = await freePort();
  const here = await side(t, {
    conf: directory =>
      `admin_socket ${join(directory, 'operators.sock')}\nconnection up\naddress 127.0.0.1:${nobody}\nstart_type once\ntopic # out\n`,
  });
  await here.broker.logged(/Bridge up: 127\.0\.0\.1:\d+ could not be reached: nothing listens there/);
  const at = await watch(t, here.port, ['$SYS/zancudo/bridges/#', '$SYS/broker/connection/#']);
  await at.has('$SYS/zancudo/bridges/up/state', 'stopped');
  const told = await run(zancudo, ['bridges', '--socket', join(here.directory, 'operators.sock')]);
  assert.equal(told.code, 0, told.output);
  assert.match(
    told.stdout,
    /^up: stopped[^]*nothing listens there[^]*Is the broker running[^]*TOPIC +OUT +IN\n +# out 0 +0 +0\n/,
  );
  await until('the error', () =>
    at.texts('$SYS/zancudo/bridges/up/error').some(text => text.includes('nothing listens there')),
  );
  await until('the state', () => at.got.some(({ topic, text }) => topic.endsWith('.up/state') && text === '0'));
});

test('the next address serves when the first does not, and the first again when it is back', async t => {
  const second = await side(t);
  const port = await freePort();
  const here = await side(t, {
    conf: () =>
      `connection up\naddresses 127.0.0.1:${port} 127.0.0.1:${second.port}\nrestart_timeout 1\ntopic # out 1\n`,
  });
  await here.broker.logged(new RegExp(`Bridge up is connected to 127\\.0\\.0\\.1:${second.port}`));
  await side(t, { port });
  await here.broker.logged(new RegExp(`Bridge up is connected to 127\\.0\\.0\\.1:${port}`));
});

test('what is published while the other broker is away waits, over a restart of this one', async t => {
  const there = await side(t, { durable: true });
  const reader = await watch(t, there.port, ['#'], { clientId: 'reader', clean: false });
  const conf = `connection up\naddress 127.0.0.1:${there.port}\nrestart_timeout 1\ntopic # out 1\n`;
  const here = await side(t, { durable: true, conf: () => conf });
  await connected(here);
  await there.kill();
  const writer = await watch(t, here.port, []);
  for (const text of ['1', '2', '3']) await writer.client.publishAsync('a', text, { qos: 1 });
  await here.kill();
  await here.comeBack();
  await there.comeBack();
  await reader.has('a', '3');
  assert.deepEqual([...new Set(reader.texts('a'))], ['1', '2', '3']);
});

test('a reload cuts no bridge whose lines are the same, starts new ones, changes and ends others', async t => {
  const there = await side(t);
  const lines = (name: string, more = ''): string =>
    `connection ${name}\naddress 127.0.0.1:${there.port}\nbridge_reload_type immediate\ntopic ${name}/# out 1\n${more}`;
  const here = await side(t, { conf: () => lines('same') + lines('changed') + lines('gone') });
  await connected(here, 3);
  const file = join(here.broker.directory, 'mosquitto.conf');
  const text = readFileSync(file, 'utf8')
    .replace(lines('gone'), lines('fresh'))
    .replace(lines('changed'), lines('changed', 'topic also/# out 1\n'));
  writeFileSync(file, text);
  const from = here.broker.lines.length;
  here.broker.signal('SIGHUP');
  await here.broker.logged(/Bridge fresh is connected/, from);
  await here.broker.logged(/Bridge changed is connected/, from);
  assert.doesNotMatch(here.broker.lines.slice(from).join('\n'), /\.same|Bridge same|connection same/);
  const reader = await watch(t, there.port, ['#', '$SYS/broker/connection/+/state']);
  await until('the state of the one that is gone', () =>
    reader.got.some(({ topic, text: state }) => topic.endsWith('.gone/state') && state === '0'),
  );
  const writer = await watch(t, here.port, []);
  for (const topic of ['same/x', 'fresh/x', 'also/x', 'gone/x', 'changed/x'])
    await writer.client.publishAsync(topic, 'm', { qos: 1 });
  for (const topic of ['same/x', 'fresh/x', 'also/x', 'changed/x']) await reader.has(topic, 'm');
  assert.deepEqual(reader.texts('gone/x'), []);
});

test(
  'a bridge shows its certificate, checks the one of the other broker, and says in plain words what is wrong',
  needs('openssl', 'mosquitto'),
  async t => {
    const place = temporaryDirectory();
    t.after(() => place.remove());
    const file = await makeCertificates(place.path);
    const secure = `cafile ${file('ca.crt')}\ncertfile ${file('server.crt')}\nkeyfile ${file('server.key')}\nrequire_certificate true\nuse_identity_as_username true\n`;
    // The second address is not in its certificate.
    const listener = (port: number): string =>
      ['127.0.0.1', '127.0.0.2'].map(address => `listener ${port} ${address}\n${secure}`).join('');
    const there = await side(t, { mosquitto: true, listener });
    const own = `bridge_certfile ${file('client.crt')}\nbridge_keyfile ${file('client.key')}\n`;
    const to = (name: string, address: string, more: string): string =>
      `connection ${name}\naddress ${address}:${there.port}\ntopic # out 1\nrestart_timeout 1\n${more}`;
    const ca = `bridge_cafile ${file('ca.crt')}\n`;
    const here = await side(t, {
      conf: () =>
        [
          to('good', 'localhost', ca + own),
          to('unnamed', '127.0.0.2', ca + own),
          to('insecure', '127.0.0.2', `${ca}${own}bridge_insecure true\n`),
          to('plain', 'localhost', ''),
          to('without', 'localhost', ca),
          to('stranger', 'localhost', `bridge_cafile ${file('client.crt')}\n${own}`),
        ].join(''),
      listener: port => `listener ${port} 127.0.0.1\nallow_anonymous true\n`,
    });
    await here.broker.logged(/Bridge good is connected/);
    await here.broker.logged(/Bridge without: \S+ wants a client certificate/);
    await here.broker.logged(/Give it one with bridge_certfile and bridge_keyfile/);
    await here.broker.logged(/Bridge plain: \S+ closed the connection before it answered/);
    await here.broker.logged(/Bridge stranger: The certificate of \S+ is issued by .* not trusted here/);
    await here.broker.logged(/Bridge unnamed: .*certificate/);
    await here.broker.logged(/Bridge insecure is connected/);
    assert.doesNotMatch(here.log, /Bridge (stranger|without|plain|unnamed) is connected/);
  },
);

test('a pre-shared key, and a broker that does not have it', needs('mosquitto'), async t => {
  const there = await side(t, {
    mosquitto: true,
    listener: (port, directory) => {
      writeFileSync(join(directory, 'psk'), 'bridge:c0ffee\n', { mode: 0o644 });
      return `listener ${port} 127.0.0.1\npsk_hint h\npsk_file ${join(directory, 'psk')}\nallow_anonymous true\n`;
    },
  });
  const to = (name: string, key: string): string =>
    `connection ${name}\naddress 127.0.0.1:${there.port}\ntopic # out 1\nbridge_identity bridge\nbridge_psk ${key}\n`;
  const here = await side(t, { conf: () => to('good', 'c0ffee') + to('bad', 'beef') });
  await here.broker.logged(/Bridge good is connected/);
  await here.broker.logged(/Bridge bad: /);
  assert.doesNotMatch(here.log, /Bridge bad is connected|c0ffee/);
});
