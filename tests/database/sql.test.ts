/** Users and rules in PostgreSQL, MariaDB and SQLite, by the real servers: as they should, and while they do not. */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import bcrypt from 'bcryptjs';
import { type Broker, publish, RawClient, startBroker, temporaryDirectory, until } from '../harness/mod.ts';
import { askMariadb, askPostgresql, mariadb, postgresql, Server, skipMariadb, skipPostgresql } from './servers.ts';
import { goAuthHash } from './stage.ts';

interface Stage {
  /** Lines of the section that tell where the database is. */
  section: string;
  ask: (...statements: string[]) => Promise<void>;
  server: Server | null;
  end: () => Promise<void>;
}

const kinds: Record<string, { skip: { skip: string | false }; start: () => Promise<Stage> }> = {
  postgresql: {
    skip: skipPostgresql,
    start: async () => {
      const server = await Server.start(postgresql);
      return {
        section: `auth_backend postgresql\nauth_backend_host 127.0.0.1\nauth_backend_port ${server.port}\nauth_backend_username postgres\nauth_backend_database postgres\n`,
        ask: (...statements) => askPostgresql(server.port, ...statements),
        server,
        end: () => server.end(),
      };
    },
  },
  mysql: {
    skip: skipMariadb,
    start: async () => {
      const server = await Server.start(mariadb);
      await askMariadb(server.port, 'CREATE DATABASE mqtt');
      return {
        section: `auth_backend mariadb\nauth_backend_host 127.0.0.1\nauth_backend_port ${server.port}\nauth_backend_username root\nauth_backend_database mqtt\n`,
        ask: (...statements) => askMariadb(server.port, 'USE mqtt', ...statements),
        server,
        end: () => server.end(),
      };
    },
  },
  sqlite: {
    skip: { skip: false },
    start: () => {
      const directory = temporaryDirectory();
      chmodSync(directory.path, 0o755);
      const file = join(directory.path, 'users.db');
      const database = new DatabaseSync(file);
      return Promise.resolve({
        section: `auth_backend sqlite\nauth_backend_file ${file}\n`,
        ask: (...statements: string[]) => Promise.resolve(statements.forEach(statement => database.exec(statement))),
        server: null,
        end: () => {
          database.close();
          return Promise.resolve(directory.remove());
        },
      });
    },
  },
};

const tables = [
  'CREATE TABLE users (username VARCHAR(200) PRIMARY KEY, password_hash VARCHAR(300) NOT NULL, is_admin INT NOT NULL)',
  'CREATE TABLE acl (username VARCHAR(200) NOT NULL, topic VARCHAR(200) NOT NULL, rw INT NOT NULL)',
  `INSERT INTO users VALUES ('ana', '${goAuthHash('one')}', 0), ('bob', '${bcrypt.hashSync('two', 4)}', 0),
    ('root', '${goAuthHash('three')}', 1), ('broken', 'plain', 0), ('%', '${goAuthHash('four')}', 0)`,
  `INSERT INTO acl VALUES ('ana', 'home/%u/#', 3), ('ana', 'news/+', 1), ('bob', 'news/1', 2), ('bob', 'half#', 3)`,
];

const queries = `auth_backend_user_query SELECT password_hash, username FROM users WHERE username = :username
auth_backend_superuser_query SELECT is_admin FROM users WHERE username = :username
auth_backend_acl_query SELECT topic, rw FROM acl WHERE username = :username
auth_backend_timeout 3
auth_backend_cache_seconds 1
auth_backend_cache_refusal_seconds 0
`;

for (const [kind, { skip, start }] of Object.entries(kinds)) {
  describe(`users and rules in ${kind}`, skip, () => {
    let stage: Stage;
    let broker: Broker;

    before(async () => {
      stage = await start();
      await stage.ask(...tables);
      const conf = (port: number, more: number): string =>
        `per_listener_settings true\nlistener ${port} 127.0.0.1\n${stage.section}${queries}listener ${more} 127.0.0.1\nallow_anonymous true\n`;
      broker = await startBroker({ conf: at => conf(at.port(), at.port(1)) });
      await broker.logged(/The backend .* answers/);
    });

    after(async () => {
      await broker.stop();
      await stage.end();
    });

    const login = async (username: string | Buffer, password: string | Buffer, clientId = ''): Promise<number> => {
      const client = await RawClient.dial({ port: broker.port });
      try {
        const { body } = await client.connect({ version: 5, username, password, clientId });
        return body[1] ?? -1;
      } finally {
        client.end();
      }
    };

    const enter = async (username: string, password: string): Promise<RawClient> => {
      const client = await RawClient.dial({ port: broker.port });
      const { body } = await client.connect({ version: 5, username, password });
      assert.equal(body[1], 0);
      return client;
    };

    const mayPublish = async (client: RawClient, topic: string): Promise<boolean> => {
      client.send(publish({ version: 5, topic, qos: 1, packetId: 7 }));
      const { body } = await client.expect('puback');
      return (body[2] ?? 0) < 0x80;
    };

    test('the right password lets in, whatever hash it has; everything else does not', async () => {
      assert.equal(await login('ana', 'one'), 0);
      assert.equal(await login('bob', 'two'), 0);
      for (const [name, password] of [
        ['ana', 'two'],
        ['ana', ''],
        ['nobody', 'one'],
        ['broken', 'plain'],
        ['', 'one'],
      ] as const) {
        assert.equal(await login(name, password), 0x87, `${name} ${password}`);
      }
    });

    test('rows decide who publishes what, and who may subscribe; a superuser may everything', async () => {
      const [ana, bob, root] = [await enter('ana', 'one'), await enter('bob', 'two'), await enter('root', 'three')];
      assert.deepEqual(
        [await mayPublish(ana, 'home/ana/x'), await mayPublish(ana, 'home/bob/x'), await mayPublish(ana, 'news/1')],
        [true, false, false],
      );
      assert.deepEqual([await mayPublish(bob, 'news/1'), await mayPublish(bob, 'half')], [true, false]);
      assert.ok(await mayPublish(root, 'anything/at/all'));
      const filters = ['#', 'news/1', 'home/bob/#', 'other/#'].map(filter => [filter] as const);
      const { body } = await ana.subscribe(filters);
      assert.deepEqual([...body.subarray(-4)], [0, 0, 0x87, 0x87]);
      assert.ok(await mayPublish(root, 'secret'));
      assert.ok(await mayPublish(root, 'news/2'));
      const { body: got } = await ana.expect('publish');
      assert.ok(got.includes('news/2'), 'what it may not read never came');
      for (const client of [ana, bob, root]) client.end();
    });

    test('quotes, wildcards, look-alikes and very long names are data and never a query', async () => {
      const hostile = ["ana' OR '1'='1", "' OR 1=1 -- ", 'ana"; DROP TABLE users; --', 'ana\\', '_na', 'an%', 'ANA', 'ana ', 'аna', 'ａna', 'àna', 'ana\u200b', '*', '$1', ':username', 'x'.repeat(65_535)]; // prettier-ignore
      for (const name of hostile) assert.equal(await login(name, 'one'), 0x87, name.slice(0, 40));
      assert.equal(await login('%', 'four'), 0);
      assert.equal(await login('ana', Buffer.alloc(65_535, 'one')), 0x87);
      assert.equal(await login('ana', "' OR '1'='1"), 0x87);
      assert.equal(await login('ana', 'one', '+/#'), 0);
      assert.equal(await login('ana', 'one'), 0, 'the table is still there');
    });

    test('a changed rule and a changed password take effect while the client is connected', async () => {
      await stage.ask(
        `INSERT INTO users VALUES ('eva', '${goAuthHash('old')}', 0)`,
        `INSERT INTO acl VALUES ('eva', 'a', 2)`,
      );
      const eva = await enter('eva', 'old');
      assert.ok(await mayPublish(eva, 'a'));
      await stage.ask(`DELETE FROM acl WHERE username = 'eva'`, `INSERT INTO acl VALUES ('eva', 'b', 2)`);
      await until('the new rule', () => mayPublish(eva, 'b'));
      assert.equal(await mayPublish(eva, 'a'), false);
      await stage.ask(`UPDATE users SET password_hash = '${goAuthHash('new')}' WHERE username = 'eva'`);
      assert.equal(await login('eva', 'new'), 0);
      assert.equal(await login('eva', 'old'), 0x87);
      eva.end();
    });

    test('a database that is held still or gone lets nobody in, delays nobody else, and is found again', async t => {
      const { server } = stage;
      if (server === null) return t.skip('a file cannot be gone in this way');
      const stop = startTraffic(broker.ports[1]!);
      const ana = await enter('ana', 'one');
      for (const trouble of ['held still', 'gone'] as const) {
        if (trouble === 'gone') await server.stop();
        else server.hold();
        const answers = await Promise.all(
          ['ana', 'bob', 'root', 'nobody', 'x', 'y'].map((name, i) => login(name, `wrong ${i}`)),
        );
        assert.ok(
          answers.every(code => code === 0x87),
          `${trouble}: ${answers.join(' ')}`,
        );
        assert.equal(await login('bob', 'two'), 0x87, 'the right password does not help either');
        assert.ok(await mayPublish(ana, 'home/ana/x'), 'who is in keeps what it may');
        if (trouble === 'gone') await server.start();
        else server.giveBack();
        await until(`${kind} to be found again`, async () => (await login('bob', 'two')) === 0);
        assert.equal(await login('bob', 'wrong'), 0x87);
      }
      await broker.logged(/does not answer/);
      await broker.logged(/answers again/);
      ana.end();
      const { sent, received } = await stop();
      assert.ok(sent > 0);
      assert.equal(received, sent, 'the others have lost nothing');
    });
  });
}

/** Messages of others, all the while. */
function startTraffic(port: number): () => Promise<{ sent: number; received: number }> {
  let [sent, received, isOver] = [0, 0, false];
  const run = async (): Promise<void> => {
    const client = await RawClient.dial({ port });
    await client.connect({ version: 5 });
    await client.subscribe([['others']]);
    while (!isOver) {
      client.send(publish({ version: 5, topic: 'others', payload: String(sent++) }));
      await client.expect('publish');
      received++;
      await new Promise(resolve => setTimeout(resolve, 5));
    }
    client.end();
  };
  const running = run();
  return async () => {
    isOver = true;
    await running;
    return { sent, received };
  };
}
