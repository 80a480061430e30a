/**
 * Databases and directories by TLS, with a certificate on both sides, and by Unix sockets: reached as configured, and what
 * is wrong said by `zancudo users check` in plain words.
 */
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { run, temporaryDirectory, zancudo } from '../harness/mod.ts';
import { askMariadb, askPostgresql, ldapAdmin, type Recipe, Server, skipLdap, skipMariadb, skipPostgresql, skipRedis } from './servers.ts'; // prettier-ignore
import { secureMariadb, secureOpenldap, securePostgresql, secureRedis } from './tls-servers.ts';

interface Kind {
  skip: { skip: string | false };
  recipe: Recipe;
  fill: (server: Server) => Promise<void>;
  /** The section but for TLS, with the server at this address. */
  section: (server: Server, address: string) => string;
  /** By a socket, where there is one. */
  socket: ((server: Server) => string) | null;
}

const queries = 'auth_backend_user_query SELECT password_hash FROM users WHERE username = :username\n';
const tables = ['CREATE TABLE users (username VARCHAR(200), password_hash VARCHAR(300))'];

const kinds: Record<string, Kind> = {
  postgresql: {
    skip: skipPostgresql,
    recipe: securePostgresql,
    fill: ({ port }) => askPostgresql(port, ...tables, 'CREATE USER zancudo', 'GRANT SELECT ON users TO zancudo'),
    section: ({ port }, address) => `auth_backend postgresql\nauth_backend_host ${address}\nauth_backend_port ${port}\nauth_backend_username zancudo\nauth_backend_database postgres\n${queries}`,
    socket: ({ port, folder }) => `auth_backend postgresql\nauth_backend_socket ${folder}\nauth_backend_port ${port}\nauth_backend_username zancudo\nauth_backend_database postgres\n${queries}`,
  },
  mysql: {
    skip: skipMariadb,
    recipe: secureMariadb,
    fill: ({ port }) => askMariadb(port, 'CREATE DATABASE mqtt', 'USE mqtt', ...tables, "CREATE USER zancudo@'127.%' REQUIRE X509", "GRANT SELECT ON mqtt.* TO zancudo@'127.%'", 'CREATE USER zancudo@localhost', 'GRANT SELECT ON mqtt.* TO zancudo@localhost'),
    section: ({ port }, address) => `auth_backend mysql\nauth_backend_host ${address}\nauth_backend_port ${port}\nauth_backend_username zancudo\nauth_backend_database mqtt\n${queries}`,
    socket: ({ folder }) => `auth_backend mysql\nauth_backend_socket ${folder}/mariadb.sock\nauth_backend_username zancudo\nauth_backend_database mqtt\n${queries}`,
  },
  redis: {
    skip: skipRedis,
    recipe: secureRedis,
    fill: () => Promise.resolve(),
    section: ({ port }, address) => `auth_backend redis\nauth_backend_host ${address}\nauth_backend_port ${port + 1}\n`,
    socket: ({ folder }) => `auth_backend redis\nauth_backend_socket ${folder}/redis.sock\n`,
  },
  'ldap by StartTLS': ldapBy((port, address) => `ldap://${address}:${port}`),
  ldaps: ldapBy((port, address) => `ldaps://${address}:${port + 1}`),
}; // prettier-ignore

function ldapBy(url: (port: number, address: string) => string): Kind {
  return {
    skip: skipLdap,
    recipe: secureOpenldap,
    fill: async ({ folder, port }) => {
      const entry = 'dn: dc=example,dc=org\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n';
      const tls = { ...process.env, LDAPTLS_CACERT: join(folder, 'ca.crt'), LDAPTLS_CERT: join(folder, 'client.crt'), LDAPTLS_KEY: join(folder, 'client.key') };
      const { code, output } = await run('ldapadd', ['-x', '-ZZ', '-H', `ldap://127.0.0.1:${port}`, '-D', ldapAdmin, '-w', 'secret'], { input: entry, env: tls });
      assert.equal(code, 0, output);
    },
    section: ({ port, folder }, address) => `auth_backend ldap\nauth_backend_url ${url(port, address)}\nauth_backend_username ${ldapAdmin}\nauth_backend_password_file ${folder}/password\nauth_backend_user_base dc=example,dc=org\nauth_backend_user_filter (uid=:username)\n`,
    socket: null,
  };
} // prettier-ignore

for (const [name, { skip, recipe, fill, section, socket }] of Object.entries(kinds)) {
  describe(`${name} with certificates on both sides`, skip, () => {
    let server: Server;
    const directory = temporaryDirectory();

    before(async () => {
      server = await Server.start(recipe);
      writeFileSync(join(server.folder, 'password'), 'secret\n');
      chmodSync(join(server.folder, 'password'), 0o600);
      await fill(server);
    });

    after(async () => {
      await server.end();
      directory.remove();
    });

    const check = async (text: string) => {
      const conf = join(directory.path, 'zancudo.conf');
      writeFileSync(conf, `listener 1883 127.0.0.1\n${text}auth_backend_timeout 3\n`);
      return run(zancudo, ['users', 'check', '-c', conf]);
    };

    const own = (): string => `auth_backend_certfile ${server.folder}/client.crt\nauth_backend_keyfile ${server.folder}/client.key\n`;
    const authority = (): string => `auth_backend_tls true\nauth_backend_cafile ${server.folder}/ca.crt\n`;

    test('is reached, and asked', async () => {
      const { code, output } = await check(section(server, '127.0.0.1') + authority() + own());
      assert.equal(code, 0, output);
      assert.match(output, /ok {5}connection: it answers\n {2}ok {5}user: a made-up name is not known/);
    });

    test('a certificate for other names, of an unknown authority, or none of ours is no connection, and said', async () => {
      for (const [text, says] of [
        [section(server, '127.0.0.2') + authority() + own(), /certificate is for other names/],
        [`${section(server, '127.0.0.1')}auth_backend_tls true\n${own()}`, /auth_backend_cafile/],
        [section(server, '127.0.0.1') + authority(), /auth_backend_certfile|does not let the broker in/],
      ] as const) {
        const { code, output } = await check(text);
        assert.equal(code, 1, output);
        assert.match(output, says);
      }
    });

    if (socket !== null) {
      test('a Unix socket takes the place of host and port', async () => {
        const { code, output } = await check(socket(server));
        assert.equal(code, 0, output);
        const gone = await check(socket(server).replace(server.folder, `${server.folder}/none`));
        assert.match(gone.output, /WRONG {2}connection: .*\n.*There is no/);
      });
    }
  });
} // prettier-ignore
