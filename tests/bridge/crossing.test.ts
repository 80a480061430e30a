/** What passes a bridge and what it is called on the other side, with Debian's broker and our own over there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs, until } from '../harness/mod.ts';
import { connected, side, watch } from './sides.ts';

const topics = `topic out/# out 2 here/ there/
topic in/# in 2 here/ there/
topic both/# both 1
topic "" out 1 one/here one/there
`;

for (const { name, mosquitto, version } of [
  { name: "Debian's broker over MQTT 3.1.1", mosquitto: true, version: 'mqttv311' },
  { name: "Debian's broker over MQTT 5", mosquitto: true, version: 'mqttv50' },
  { name: 'our own over MQTT 3.1', mosquitto: false, version: 'mqttv31' },
  { name: 'our own over MQTT 5', mosquitto: false, version: 'mqttv50' },
]) {
  test(
    `messages pass in both directions under their names, at their QoS, once: ${name}`,
    needs(...(mosquitto ? ['mosquitto'] : [])),
    async t => {
      const there = await side(t, { mosquitto });
      const conf = (): string =>
        `connection up\naddress 127.0.0.1:${there.port}\nbridge_protocol_version ${version}\n${topics}`;
      const here = await side(t, { conf });
      await connected(here);
      const [atHere, atThere] = [
        await watch(t, here.port, ['#', '$SYS/broker/connection/#']),
        await watch(t, there.port, ['#', '$SYS/broker/connection/#']),
      ];
      await atHere.client.publishAsync('here/out/a', 'out 2', { qos: 2 });
      await atThere.client.publishAsync('there/in/a', 'in 2', { qos: 2 });
      await atThere.client.publishAsync('there/in/a', 'in 0', { qos: 0 });
      await atHere.client.publishAsync('one/here', 'one', { qos: 1 });
      await atHere.client.publishAsync('both/x', 'from here', { qos: 1, retain: true });
      await atThere.client.publishAsync('both/x', 'from there', { qos: 1 });
      await atThere.has('there/out/a', 'out 2');
      await atThere.has('one/there', 'one');
      await atHere.has('here/in/a', 'in 0');
      await atThere.has('both/x', 'from here');
      await atHere.has('both/x', 'from there');
      assert.equal(atThere.got.find(({ text }) => text === 'out 2')?.qos, 2);
      assert.equal(atHere.got.find(({ text }) => text === 'in 2')?.qos, 2);
      // Whoever comes later gets what is retained, on the far side, too.
      const late = await watch(t, there.port, ['both/#']);
      await late.has('both/x', 'from here');
      assert.deepEqual(
        late.got.map(({ retain }) => retain),
        [true],
      );
      for (const at of [atHere, atThere]) {
        for (const text of ['from here', 'from there'])
          assert.equal(at.texts('both/x').filter(each => each === text).length, 1);
        await until('the state of the bridge', () =>
          at.got.some(({ topic, text }) => topic.endsWith('.up/state') && text === '1'),
        );
      }
      await here.kill();
      await until('the far side to be told', () =>
        atThere.got.some(({ topic, text }) => topic.endsWith('.up/state') && text === '0'),
      );
    },
  );
}

test('lines that overlap bring a message once, at the highest QoS of them', async t => {
  const there = await side(t);
  const here = await side(t, {
    conf: () =>
      `connection up\naddress 127.0.0.1:${there.port}\nbridge_protocol_version mqttv50\ntopic # out 0\ntopic a/# out 2\ntopic a/b out 1\n`,
  });
  await connected(here);
  const atThere = await watch(t, there.port, ['#']);
  const publisher = await watch(t, here.port, []);
  await publisher.client.publishAsync('a/b', 'once', { qos: 2 });
  await publisher.client.publishAsync('z', 'last', { qos: 1 });
  await atThere.has('z', 'last');
  await atThere.has('a/b', 'once');
  assert.deepEqual(
    atThere.got.filter(({ topic }) => topic === 'a/b').map(({ text, qos }) => [text, qos]),
    [['once', 2]],
  );
});

test(
  'without try_private an MQTT 3 bridge does not take its own messages for those of others',
  needs('mosquitto'),
  async t => {
    const there = await side(t, { mosquitto: true });
    const here = await side(t, {
      conf: () => `connection up\naddress 127.0.0.1:${there.port}\ntry_private false\ntopic # both 1\n`,
    });
    await connected(here);
    const [atHere, atThere] = [await watch(t, here.port, ['#']), await watch(t, there.port, ['#'])];
    for (const text of ['same', 'same', 'last']) await atHere.client.publishAsync('a', text, { qos: 1 });
    await atThere.has('a', 'last');
    await atThere.client.publishAsync('a', 'same', { qos: 1 });
    await atThere.client.publishAsync('a', 'end', { qos: 1 });
    await atHere.has('a', 'end');
    await atThere.has('a', 'end');
    assert.deepEqual(atHere.texts('a'), ['same', 'same', 'last', 'same', 'end']);
    assert.deepEqual(atThere.texts('a'), ['same', 'same', 'last', 'same', 'end']);
  },
);

test('two bridges in opposite directions do not send a message round in circles', async t => {
  const there = await side(t);
  const first = await side(t, {
    conf: () => `connection one\naddress 127.0.0.1:${there.port}\nbridge_protocol_version mqttv50\ntopic # both 1\n`,
  });
  // A bridge that goes back from there, in a broker of its own beside it.
  const second = await side(t, {
    conf: () =>
      `connection two\naddress 127.0.0.1:${first.port}\nbridge_protocol_version mqttv50\ntopic # both 1\nconnection three\naddress 127.0.0.1:${there.port}\nbridge_protocol_version mqttv50\ntopic # both 1\n`,
  });
  await connected(first);
  await connected(second, 2);
  const watchers = [
    await watch(t, first.port, ['#']),
    await watch(t, there.port, ['#']),
    await watch(t, second.port, ['#']),
  ];
  await watchers[0]!.client.publishAsync('a', 'm', { qos: 1 });
  for (const at of watchers) await at.has('a', 'm');
  await watchers[0]!.client.publishAsync('a', 'after', { qos: 1 });
  for (const at of watchers) await at.has('a', 'after');
  // On a ring there are two ways to each broker; nothing goes further than that.
  for (const at of watchers) assert.ok(at.texts('a').filter(text => text === 'm').length <= 2, JSON.stringify(at.got));
});
