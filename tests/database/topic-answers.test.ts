/** A service that is asked for each topic, as those for mosquitto-go-auth are: who waits for it, and who does not. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { publish, type RawClient, until } from '../harness/mod.ts';
import { mayPublish, mayPublishAll, Stage } from './stage.ts';

interface Asked {
  username: string;
  topic: string;
  acc: string;
}

for (const params of ['json', 'form'] as const) {
  describe(`a service asked for each topic by ${params}`, () => {
    let service: Server;
    let stage: Stage;
    let asked: Asked[] = [];
    /** What becomes of a question about this topic. */
    let moods: Record<string, 'slow' | 'silent' | 'broken'> = {};
    const held: (() => void)[] = [];

    before(async () => {
      service = createServer((request, response) => {
        void (async () => {
          let body = '';
          for await (const chunk of request) body += String(chunk);
          if (request.method === 'GET') return response.writeHead(405).end();
          const fields = (params === 'json' ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body))) as Record<string, string>; // prettier-ignore
          if (request.url === '/user') return response.end(fields.password === 'pw' ? 'ok' : 'no');
          if (request.url === '/superuser') return response.end(fields.username === 'root' ? 'ok' : 'no');
          const { username = '', topic = '', acc = '' } = fields;
          asked.push({ username, topic, acc: String(acc) });
          const answer = (): void => void response.end(topic.startsWith('ok/') || topic === '#' ? 'ok' : 'no');
          const mood = moods[topic];
          if (mood === 'broken') return response.writeHead(503).end();
          if (mood === undefined) answer();
          else held.push(mood === 'slow' ? answer : () => response.end('no'));
        })();
      });
      await new Promise<void>(resolve => service.listen(0, '127.0.0.1', resolve));
      const at = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
      stage = await Stage.open(`auth_backend http
auth_backend_user_url ${at}/user
auth_backend_superuser_url ${at}/superuser
auth_backend_acl_url ${at}/acl
auth_backend_acl_answers topic
auth_backend_params ${params}
auth_backend_response text
`);
    });

    beforeEach(() => {
      asked = [];
      moods = {};
    });

    after(async () => {
      await stage.broker.stop();
      service.closeAllConnections();
      service.close();
    });

    const enter = async (name: string): Promise<RawClient> => stage.enter(name, 'pw');

    test('decides who publishes and who subscribes, and a superuser is not asked about', async () => {
      const [ana, root] = [await enter('ana'), await enter('root')];
      assert.deepEqual(await mayPublishAll(ana, 'ok/a', 'no', 'ok/b'), [true, false, true]);
      assert.ok(await mayPublish(root, 'no'));
      const { body } = await ana.subscribe([['ok/+'], ['no']]);
      assert.deepEqual([...body.subarray(-2)], [0, 0x87]);
      const mine = asked.filter(({ username }) => username === 'ana');
      assert.deepEqual(mine.map(({ topic, acc }) => `${acc} ${topic}`), ['2 ok/a', '2 no', '2 ok/b', '4 ok/+', '4 no']);
      assert.deepEqual(asked.filter(({ username }) => username === 'root'), []);
      for (const client of [ana, root]) client.end();
    }); // prettier-ignore

    test('one question stands for a thousand messages, and their order stays', async () => {
      moods['ok/many'] = 'slow';
      const [ana, reader] = [await enter('ana'), await enter('root')];
      await reader.subscribe([['#', 1]]);
      const packets = Array.from({ length: 200 }, (_, i) =>
        publish({ version: 5, topic: i % 2 === 0 ? 'ok/many' : 'ok/other', qos: 1, packetId: i + 1, payload: String(i) }),
      );
      ana.send(Buffer.concat(packets));
      await until('the question', () => held.length > 0);
      held.splice(0).forEach(answer => answer());
      const got: string[] = [];
      for (let i = 0; i < 200; i++) {
        const { body } = await reader.expect('publish');
        got.push(body.toString('latin1').replace(/^.*[^\d]/s, ''));
        const id = body.readUInt16BE(2 + body.readUInt16BE(0));
        reader.send(Buffer.from([0x40, 2, id >> 8, id & 0xff]));
      }
      assert.deepEqual(got, packets.map((_, i) => String(i)));
      assert.equal(asked.filter(({ topic, acc }) => topic === 'ok/many' && acc === '2').length, 1);
      for (const client of [ana, reader]) client.end();
    }); // prettier-ignore

    test('a reader gets what it may read and nothing else, in order, however long the answer takes', async () => {
      const [reader, root] = [await enter('ana'), await enter('root')];
      await reader.subscribe([['#', 0]]);
      moods['ok/slow'] = 'slow';
      for (const [topic, payload] of [['ok/slow', '1'], ['no', '2'], ['ok/fast', '3'], ['ok/slow', '4']] as const) {
        root.send(publish({ version: 5, topic, payload, qos: 0 }));
      }
      await until('the question', () => held.length > 0);
      assert.ok(await mayPublish(root, 'x'), 'who publishes does not wait for who reads');
      held.splice(0).forEach(answer => answer());
      const got: string[] = [];
      for (let i = 0; i < 3; i++) got.push((await reader.expect('publish')).body.toString('latin1').slice(-1));
      assert.deepEqual(got, ['1', '3', '4']);
      for (const client of [reader, root]) client.end();
    }); // prettier-ignore

    test('a question that is not answered is a no, for who asked and after its time; others go on', async () => {
      const [ana, bob] = [await enter('ana'), await enter('bob')];
      assert.ok(await mayPublish(bob, 'ok/bob'));
      moods['ok/never'] = 'silent';
      ana.send(publish({ version: 5, topic: 'ok/never', qos: 1, packetId: 1 }));
      await until('the question', () => held.length > 0);
      for (let i = 0; i < 20; i++) assert.ok(await mayPublish(bob, 'ok/bob'));
      const { body } = await ana.expect('puback');
      assert.equal(body[2], 0x87);
      held.splice(0).forEach(answer => answer());
      moods['ok/broken'] = 'broken';
      assert.equal(await mayPublish(ana, 'ok/broken'), false);
      moods = {};
      await until('the service to be asked again', () => mayPublish(ana, 'ok/broken'));
      for (const client of [ana, bob]) client.end();
    });

    test('hostile topics are data in its question', async () => {
      const ana = await enter('ana');
      const topics = ['ok/"}', 'ok/&username=root', 'ok/ü\u200b', "ok/' OR 1=1 --"];
      for (const topic of topics) await mayPublish(ana, topic);
      assert.deepEqual(
        asked.map(each => each.topic),
        topics,
      );
      assert.ok(asked.every(({ username, acc }) => username === 'ana' && acc === '2'));
      ana.end();
    });
  });
}
