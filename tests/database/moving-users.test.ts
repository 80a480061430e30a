/** `zancudo users`: out of the tables of mosquitto-go-auth, through every kind of place, and back, by the real servers. */
import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { run, startBroker, temporaryDirectory, zancudo } from '../harness/mod.ts';
import { askMariadb, askPostgresql, askRedis, mariadb, postgresql, type Recipe, redis, Server, skipMariadb, skipPostgresql, skipRedis } from './servers.ts'; // prettier-ignore
import { goAuthHash, mayPublishAll, Stage } from './stage.ts';

/** With the columns, and the queries, of mosquitto-go-auth's documentation. */
const tablesOf = (id: string, flag: string): string[] => [
  `CREATE TABLE test_user (id ${id}, username VARCHAR(100) NOT NULL, password_hash VARCHAR(200) NOT NULL, is_admin ${flag} NOT NULL)`,
  `CREATE TABLE test_acl (id ${id}, test_user_id BIGINT NOT NULL REFERENCES test_user (id) ON DELETE CASCADE, topic VARCHAR(200) NOT NULL, rw INT NOT NULL)`,
  `INSERT INTO test_user (username, password_hash, is_admin) VALUES ('ana', '${goAuthHash('one')}', false), ('root', '${goAuthHash('two')}', true)`,
  `INSERT INTO test_acl (test_user_id, topic, rw) VALUES (1, 'home/%u/#', 3), (1, 'news/+', 1)`,
];

const queries = `auth_backend_user_query SELECT password_hash, username FROM test_user WHERE username = :username
auth_backend_superuser_query SELECT is_admin FROM test_user WHERE username = :username
auth_backend_acl_query SELECT topic FROM test_acl, test_user WHERE test_user.username = :username AND test_acl.test_user_id = test_user.id AND (rw = :rw OR rw = 3)
`;

const sqlite = (file: string): string => `auth_backend sqlite copy
auth_backend_file ${file}
auth_backend_user_query SELECT password_hash, username FROM users WHERE username = :username
auth_backend_superuser_query SELECT is_admin FROM users WHERE username = :username
auth_backend_acl_query SELECT topic, rw FROM acl WHERE username = :username
`;

interface Kind {
  skip: { skip: string | false };
  recipe: Recipe;
  fill: (server: Server) => Promise<void>;
  section: (server: Server) => string;
}

const kinds: Record<string, Kind> = {
  postgresql: {
    skip: skipPostgresql,
    recipe: postgresql,
    fill: ({ port }) => askPostgresql(port, ...tablesOf('BIGSERIAL PRIMARY KEY', 'BOOLEAN')),
    section: ({ port }) => `auth_backend postgresql first\nauth_backend_host 127.0.0.1\nauth_backend_port ${port}\nauth_backend_username postgres\nauth_backend_database postgres\n${queries}`,
  },
  mysql: {
    skip: skipMariadb,
    recipe: mariadb,
    fill: ({ port }) => askMariadb(port, 'CREATE DATABASE mqtt', 'USE mqtt', ...tablesOf('BIGINT PRIMARY KEY AUTO_INCREMENT', 'BOOLEAN')),
    section: ({ port }) => `auth_backend mysql first\nauth_backend_host 127.0.0.1\nauth_backend_port ${port}\nauth_backend_username root\nauth_backend_database mqtt\n${queries}`,
  },
  redis: {
    skip: skipRedis,
    recipe: redis,
    fill: ({ port }) => askRedis(port, ['SET', 'ana', goAuthHash('one')], ['SADD', 'ana:rwacls', 'home/%u/#'], ['SADD', 'ana:racls', 'news/+'], ['SET', 'root', goAuthHash('two')], ['SET', 'root:su', 'true'], ['SET', 'session:1', 'something else']),
    section: ({ port }) => `auth_backend redis first\nauth_backend_host 127.0.0.1\nauth_backend_port ${port}\n`,
  },
}; // prettier-ignore

for (const [kind, { skip, recipe, fill, section }] of Object.entries(kinds)) {
  describe(`users of mosquitto-go-auth in ${kind}`, skip, () => {
    const directory = temporaryDirectory();
    const file = (name: string): string => join(directory.path, name);
    let server: Server;

    before(async () => {
      server = await Server.start(recipe);
      await fill(server);
      writeFileSync(file('zancudo.conf'), `listener 1883 127.0.0.1\n${section(server)}${sqlite(file('copy.db'))}`);
    });

    after(async () => {
      await server.end();
      directory.remove();
    });

    const users = (...args: string[]) => run(zancudo, ['users', ...args, '-c', file('zancudo.conf')]);

    test('go into another database, where they may do what they might, and their hashes are nobody’s to read', async () => {
      const dry = await users('import', 'backend:first', 'backend:copy', '--create', '--dry-run');
      assert.match(dry.output, /Would go .*: 2 new\./);
      const { code, output } = await users('import', 'backend:first', 'backend:copy', '--create');
      assert.equal(code, 0, output);
      assert.match(output, /2 users went/);
      assert.equal(statSync(file('copy.db')).mode & 0o777, 0o600);
      const stage = new Stage(await startBroker({ conf: at => `listener ${at.port()} 127.0.0.1\n${sqlite(file('copy.db'))}` }));
      try {
        const [ana, root] = [await stage.enter('ana', 'one'), await stage.enter('root', 'two')];
        assert.deepEqual(await mayPublishAll(ana, 'home/ana/x', 'home/eve/x', 'news/1'), [true, false, false]);
        assert.deepEqual(await mayPublishAll(root, 'home/ana/x', 'y'), [true, true]);
        assert.equal(await stage.login('ana', 'two'), 0x87);
        for (const client of [ana, root]) client.end();
      } finally {
        await stage.broker.stop();
      }
    }); // prettier-ignore

    test('what the target cannot check is named for each user, and nothing is written', async () => {
      const { code, output } = await users('import', 'backend:first', `files:${file('passwd')},${file('acl')}`);
      assert.equal(code, 1);
      assert.match(output, /Cannot go: ana: a password stored as PBKDF2 cannot be checked there/);
      assert.throws(() => statSync(file('passwd')));
    });

    test('are written back: the new and the changed on request, all or none', async () => {
      const lines = [
        '{"zancudo":"users","version":1}',
        `{"user":"ana","hash":${JSON.stringify(goAuthHash('new'))},"rules":[{"topic":"only/this","access":"write"}]}`,
        `{"user":"o'brien \\"; DROP","hash":${JSON.stringify(goAuthHash('x'))},"rules":[{"topic":"it's/%u","access":"read"}]}`,
      ];
      writeFileSync(file('in.jsonl'), lines.join('\n'));
      const stopped = await users('import', file('in.jsonl'), 'backend:first');
      assert.equal(stopped.code, 1);
      assert.match(stopped.output, /There already, and not the same: ana\./);
      const { code, output } = await users('import', file('in.jsonl'), 'backend:first', '--replace');
      assert.equal(code, 0, output);
      const again = await users('import', file('in.jsonl'), 'backend:first');
      assert.match(again.output, /0 users went .*2 there already just so/);
      const listed = await users('export', 'backend:first');
      const records = listed.stdout.trim().split('\n').slice(1).map(line => JSON.parse(line) as { user: string; rules: unknown }); // prettier-ignore
      assert.deepEqual(new Set(records.map(({ user }) => user)), new Set(['ana', 'root', `o'brien "; DROP`]));
      assert.deepEqual(records.find(({ user }) => user === 'ana')?.rules, [{ topic: 'only/this', access: 'write' }]);
    });

    test(
      'of users that the database does not take all stay away',
      { skip: kind === 'redis' && 'it takes any' },
      async () => {
        const hash = JSON.stringify(goAuthHash('x'));
        const names = ['fits', 'x'.repeat(150)];
        const lines = names.map(name => `{"user":"${name}","hash":${hash},"rules":[{"topic":"a","access":"read"}]}`);
        writeFileSync(file('long.jsonl'), ['{"zancudo":"users","version":1}', ...lines].join('\n'));
        const { code, output } = await users('import', file('long.jsonl'), 'backend:first');
        assert.equal(code, 1, output);
        assert.match(output, /^Error: first: .*too long/m);
        assert.doesNotMatch((await users('list', 'backend:first')).output, /fits/);
      },
    );

    test('a denial, and a user without a password, cannot go there; the others can on request', async () => {
      writeFileSync(
        file('odd.jsonl'),
        [
          '{"zancudo":"users","version":1}',
          `{"user":"denied","hash":${JSON.stringify(goAuthHash('x'))},"rules":[{"topic":"a","access":"deny"}]}`,
          '{"user":"none","rules":[]}',
          `{"user":"good","hash":${JSON.stringify(goAuthHash('x'))},"rules":[]}`,
        ].join('\n'),
      );
      const stopped = await users('import', file('odd.jsonl'), 'backend:first');
      assert.equal(stopped.code, 1);
      assert.match(stopped.output, /Cannot go: denied: the denial of a cannot be said there/);
      assert.match(stopped.output, /Cannot go: none: it has no password/);
      const { code, output } = await users('import', file('odd.jsonl'), 'backend:first', '--leave-out');
      assert.equal(code, 0, output);
      assert.match(output, /1 user went/);
    });
  });
}

describe('users in files', () => {
  const directory = temporaryDirectory();
  const file = (name: string): string => join(directory.path, name);
  after(() => directory.remove());

  test('go into dynamic security and do there what they did, by a broker on either', async () => {
    await run(zancudo, ['passwd', '-b', '-c', '-H', 'sha512-pbkdf2', '-I', '1000', file('passwd'), 'ana', 'one']);
    await run(zancudo, ['passwd', '-b', '-H', 'sha512-pbkdf2', '-I', '1000', file('passwd'), 'bob', 'two']);
    writeFileSync(file('acl'), 'user ana\ntopic readwrite home/#\ntopic deny home/secret\npattern write all/%u\n');
    const { code, output } = await run(zancudo, ['users', 'import', `files:${file('passwd')},${file('acl')}`, `dynsec:${file('d.json')}`], { env: { ...process.env, ZANCUDO_HOME: file('home') } }); // prettier-ignore
    assert.equal(code, 0, output);
    assert.equal(statSync(file('d.json')).mode & 0o777, 0o600);
    const confs = [
      `password_file ${file('passwd')}\nacl_file ${file('acl')}\n`,
      `plugin mosquitto_dynamic_security.so\nplugin_opt_config_file ${file('d.json')}\n`,
    ];
    for (const conf of confs) {
      const stage = new Stage(await startBroker({ conf: at => `listener ${at.port()} 127.0.0.1\n${conf}` }));
      try {
        const [ana, bob] = [await stage.enter('ana', 'one'), await stage.enter('bob', 'two')];
        const topics = ['home/x', 'home/secret', 'all/ana', 'all/bob', 'x'];
        assert.deepEqual(await mayPublishAll(ana, ...topics), [true, false, true, false, false], conf);
        assert.deepEqual(await mayPublishAll(bob, ...topics), [false, false, false, true, false], conf);
        for (const client of [ana, bob]) client.end();
      } finally {
        await stage.broker.stop();
      }
    }
  });

  test('an export is for its owner alone, and no other file is written over unasked', async () => {
    const from = `files:${file('passwd')},${file('acl')}`;
    assert.equal((await run(zancudo, ['users', 'export', from, file('out.jsonl')])).code, 0);
    assert.equal(statSync(file('out.jsonl')).mode & 0o777, 0o600);
    const again = await run(zancudo, ['users', 'export', from, file('out.jsonl')]);
    assert.equal(again.code, 1);
    assert.match(again.output, /is there already\. --replace/);
  });
});
