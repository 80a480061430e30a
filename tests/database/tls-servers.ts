/**
 * The same servers with TLS: each lets `zancudo` in by a certificate of the test's authority alone, on 127.0.0.1, which
 * is in the server's own certificate, and on 127.0.0.2, which is not. Unix sockets are in the server's folder.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificates } from '../harness/mod.ts';
import { mariadb, openldap, postgresql, type Recipe, redis, type Server } from './servers.ts';

async function withCertificates(server: Server, prepare: Recipe['prepare']): Promise<void> {
  await prepare(server);
  await makeCertificates(server.folder);
  await server.own(server.folder);
}

const at = ({ folder }: Server, name: string): string => join(folder, name);

function more(recipe: Recipe, prepare: (server: Server) => void, args: (server: Server) => string[]): Recipe {
  return {
    ...recipe,
    prepare: server =>
      withCertificates(server, async () => {
        await recipe.prepare(server);
        prepare(server);
      }),
    command: server => {
      const { program, args: before } = recipe.command(server);
      return { program, args: [...before, ...args(server)] };
    },
  };
}

export const securePostgresql = more(
  postgresql,
  server => {
    const lines = [
      'local all all trust',
      'host all postgres 127.0.0.1/32 trust',
      'hostssl all zancudo all trust clientcert=verify-ca',
    ];
    writeFileSync(at(server, 'data/pg_hba.conf'), lines.map(line => `${line}\n`).join(''));
  },
  server =>
    [
      'ssl=on',
      'listen_addresses=127.0.0.1,127.0.0.2',
      `ssl_cert_file=${at(server, 'server.crt')}`,
      `ssl_key_file=${at(server, 'server.key')}`,
      `ssl_ca_file=${at(server, 'ca.crt')}`,
    ].flatMap(setting => ['-c', setting]),
);

export const secureMariadb = more(
  mariadb,
  () => {},
  server => [
    '--bind-address=127.0.0.1,127.0.0.2',
    '--skip-name-resolve',
    `--ssl-cert=${at(server, 'server.crt')}`,
    `--ssl-key=${at(server, 'server.key')}`,
    `--ssl-ca=${at(server, 'ca.crt')}`,
  ],
);

/** The port above is the one with TLS. */
export const secureRedis = more(
  redis,
  () => {},
  server => [
    ...['--bind', '127.0.0.1', '127.0.0.2', '--tls-port', String(server.port + 1)],
    ...['--tls-cert-file', at(server, 'server.crt'), '--tls-key-file', at(server, 'server.key')],
    ...['--tls-ca-cert-file', at(server, 'ca.crt'), '--unixsocket', at(server, 'redis.sock')],
  ],
);

/** StartTLS on the port; TLS from the start on the one above. */
export const secureOpenldap: Recipe = {
  ...more(
    openldap,
    server => {
      const lines = [
        `TLSCACertificateFile ${at(server, 'ca.crt')}`,
        `TLSCertificateFile ${at(server, 'server.crt')}`,
        `TLSCertificateKeyFile ${at(server, 'server.key')}`,
        'TLSVerifyClient demand',
      ];
      const file = at(server, 'slapd.conf');
      writeFileSync(file, `${lines.join('\n')}\n${readFileSync(file, 'utf8')}`);
    },
    () => [],
  ),
  command: server => {
    const { program, args } = openldap.command(server);
    const urls = ['127.0.0.1', '127.0.0.2'].flatMap(address => [
      `ldap://${address}:${server.port}`,
      `ldaps://${address}:${server.port + 1}`,
    ]);
    return { program, args: args.map(each => (each.startsWith('ldap://') ? urls.join(' ') : each)) };
  },
};
