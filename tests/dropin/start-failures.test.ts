/** Starts that fail after the configuration was read: cause, literal lines, exit code (docs/compat/errors-logs.md 1). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { freePort, makeCertificates, needs, refusedStart, type BrokerOptions } from '../harness/mod.ts';
import { assertInOrder, Folder, rowsAtOnce, texts, versionLine } from './stage.ts';

describe('a start that fails after the configuration was read', rowsAtOnce, () => {
  const folder = new Folder({ after });
  let busyServer: Server;
  let busy: number;
  before(async () => {
    await makeCertificates(folder.path);
    busyServer = createServer().listen(0, '127.0.0.1');
    await once(busyServer, 'listening');
    busy = (busyServer.address() as { port: number }).port;
    folder.write('passwords', '');
  });
  after(() => {
    busyServer.close();
  });

  interface Row {
    says: string;
    conf: string;
    lines: readonly (string | RegExp)[];
    code: number;
    env?: NodeJS.ProcessEnv;
    needs?: readonly string[];
  }
  const opensslError = /^OpenSSL Error \[0\]: error:[0-9A-F]+:/;
  const listener = 'listener {port} 127.0.0.1\n';
  const tls = `${listener}certfile {dir}/server.crt\nkeyfile {dir}/server.key\n`;
  const rows: readonly Row[] = [
    {
      says: 'user unknown',
      conf: `${listener}user no-such-user\n`,
      lines: ["Error: Unable to drop privileges to 'no-such-user' because this user does not exist."],
      code: 3,
      needs: ['root'],
    },
    {
      says: 'UMASK_SET is no octal number',
      conf: listener,
      env: { UMASK_SET: 'x' },
      lines: ['Error: UMASK_SET environment variable not a valid octal number.'],
      code: 3,
    },
    {
      says: 'UMASK_SET is too large',
      conf: listener,
      env: { UMASK_SET: '7777' },
      lines: ['Error: UMASK_SET environment variable out of range.'],
      code: 3,
    },
    {
      says: 'PUID is no id',
      conf: listener,
      env: { PUID: 'x' },
      lines: ["Error: PUID not a valid ID 'x'"],
      code: 3,
      needs: ['root'],
    },
    {
      says: 'PGID is negative',
      conf: listener,
      env: { PGID: '-1' },
      lines: ['Error: PGID must not be negative'],
      code: 3,
      needs: ['root'],
    },
    {
      says: 'pid file',
      conf: `${listener}pid_file {dir}/gone/pid\n`,
      lines: ['Error: Unable to write pid file.'],
      code: 14,
    },
    {
      says: 'password file gone',
      conf: `${listener}password_file {dir}/gone\n`,
      lines: ['password-file: Error: Unable to open pwfile "{dir}/gone".'],
      code: 13,
    },
    {
      says: 'acl file gone',
      conf: `${listener}acl_file {dir}/gone\n`,
      lines: ['Error: Unable to open acl_file "{dir}/gone".', 'Error opening acl file "{dir}/gone".'],
      code: 13,
    },
    {
      says: 'psk file gone',
      conf: `${listener}psk_hint h\npsk_file {dir}/gone\n`,
      lines: ['Error: Unable to open pwfile "{dir}/gone".', 'Error opening psk file "{dir}/gone".'],
      code: 13,
    },
    {
      says: 'port busy; the line of the attempt comes first',
      conf: 'listener {busy} 127.0.0.1\n',
      lines: ['Opening ipv4 listen socket on port {busy}.', 'Error: Address already in use'],
      code: 1,
    },
    {
      says: 'foreign address',
      conf: 'listener {port} 192.0.2.1\n',
      lines: ['Opening ipv4 listen socket on port {port}.', 'Error: Cannot assign requested address'],
      code: 1,
    },
    {
      says: 'listener host name',
      conf: 'listener {port} no.such.name.invalid\n',
      lines: ['Error creating listener: Name or service not known.'],
      code: 1,
    },
    {
      says: 'interface',
      conf: 'listener {port}\nbind_interface nope0\n',
      lines: ['Error: Interface nope0 does not exist.'],
      code: 1,
    },
    {
      says: 'unix path too long',
      conf: `listener 0 /tmp/${'a'.repeat(110)}\n`,
      lines: [`Error: Path to unix socket is too long "/tmp/${'a'.repeat(110)}".`],
      code: 1,
    },
    {
      says: 'unix directory missing',
      conf: 'listener 0 {dir}/gone/s\n',
      lines: [
        'Opening unix listen socket on path {dir}/gone/s.',
        'Error binding unix socket: No such file or directory',
      ],
      code: 1,
    },
    {
      says: 'certfile; the socket is opened before its certificate is read',
      conf: `${listener}certfile {dir}/gone\nkeyfile {dir}/server.key\n`,
      lines: [
        'Opening ipv4 listen socket on port {port}.',
        'Error: Unable to load server certificate "{dir}/gone". Check certfile.',
        opensslError,
      ],
      code: 1,
    },
    {
      says: 'keyfile',
      conf: `${listener}certfile {dir}/server.crt\nkeyfile {dir}/gone\n`,
      lines: ['Error: Unable to load server key file "{dir}/gone". Check keyfile.', opensslError],
      code: 1,
    },
    {
      says: 'cafile',
      conf: `${tls}cafile {dir}/gone\n`,
      lines: ['Error: Unable to load CA certificates. Check cafile "{dir}/gone".', opensslError],
      code: 1,
    },
    {
      says: 'crlfile',
      conf: `${tls}cafile {dir}/ca.crt\nrequire_certificate true\ncrlfile {dir}/gone\n`,
      lines: ['Error: Unable to load certificate revocation file "{dir}/gone". Check crlfile.', opensslError],
      code: 1,
    },
    {
      says: 'a key that does not fit',
      conf: `${listener}certfile {dir}/server.crt\nkeyfile {dir}/client.key\n`,
      lines: [
        'Error: Unable to load server key file "{dir}/client.key". Check keyfile.',
        'OpenSSL Error [0]: error:05800074:x509 certificate routines::key values mismatch',
      ],
      code: 1,
    },
    {
      says: 'tls_version',
      conf: `${tls}tls_version foo\n`,
      lines: ['Error: Unsupported tls_version "foo".'],
      code: 1,
    },
    {
      says: 'ciphers',
      conf: `${tls}ciphers foo\n`,
      lines: ['Error: Unable to set TLS ciphers. Check cipher list "foo".'],
      code: 1,
    },
    {
      says: 'ciphers_tls1.3',
      conf: `${tls}ciphers_tls1.3 foo\n`,
      lines: ['Error: Unable to set TLS 1.3 ciphersuites. Check cipher_tls13 list "foo".'],
      code: 1,
    },
    {
      says: 'a password file that nobody can read',
      conf: `${listener}password_file {dir}/broken-passwords\n`,
      lines: ["password-file: Error: Unable to decode line in password file '{dir}/broken-passwords'."],
      code: 3,
    },
    {
      says: 'a rule that is none',
      conf: `${listener}acl_file {dir}/broken-acl\n`,
      lines: [/^Error: Invalid line in acl_file/],
      code: 3,
    },
    {
      says: 'a filter that is none',
      conf: `${listener}acl_file {dir}/broken-filter\n`,
      lines: ['Error: Invalid ACL topic "a/#/b" in acl_file "{dir}/broken-filter".'],
      code: 3,
    },
    {
      says: 'a PSK that is not hexadecimal',
      conf: `${listener}psk_hint h\npsk_file {dir}/broken-psk\n`,
      lines: ['Error: psk for identity "dev1" contains non-hexadecimal characters.'],
      code: 3,
    },
  ];
  before(() => {
    folder.write('broken-passwords', 'alice:secret\n');
    folder.write('broken-acl', '  # not in the first column\n');
    folder.write('broken-filter', 'topic a/#/b\n');
    folder.write('broken-psk', 'dev1:xyz\n');
  });

  for (const { says, conf, lines: wanted, code: exit, env, needs: need = [] } of rows) {
    test(`${says} → exit ${exit}`, needs(...need), async () => {
      const port = await freePort();
      const fill = (text: string): string =>
        text.replaceAll('{dir}', folder.path).replaceAll('{port}', `${port}`).replaceAll('{busy}', `${busy}`);
      const options: BrokerOptions = { conf: fill(conf), ...(env ? { env } : {}) };
      const { code, lines } = await refusedStart({ ...options, dropPrivileges: env !== undefined });
      const said = texts(lines);
      assertInOrder(said, ...wanted.map(line => (typeof line === 'string' ? fill(line) : line)));
      assert.equal(code, exit, said.join('\n'));
      assert.match(said.at(-1)!, versionLine('terminating'));
    });
  }

  const unprivilegedFrom = '/proc/sys/net/ipv4/ip_unprivileged_port_start';
  const allPortsAreFree = (): boolean => Number(readFileSync(unprivilegedFrom, 'utf8')) <= 80;

  test(
    'a privileged port names setcap, which lets an ordinary user have it',
    needs('root', unprivilegedFrom),
    async t => {
      if (allPortsAreFree()) return t.skip('missing here: privileged ports (ip_unprivileged_port_start)');
      const { code, lines } = await refusedStart({ conf: 'listener 80 127.0.0.1\n', dropPrivileges: true });
      assertInOrder(
        texts(lines),
        'Error: Permission denied',
        'If you are trying to bind to a privileged port (<1024), try using setcap and do not start the broker as root:',
        /setcap/,
      );
      assert.equal(code, 1);
    },
  );

  test('a plugin file that is not there → exit 13', async () => {
    const conf = `listener ${await freePort()} 127.0.0.1\nplugin /gone.so\n`;
    const { code, lines } = await refusedStart({ conf });
    assertInOrder(
      texts(lines),
      'Loading plugin: /gone.so',
      'Error: Unable to load plugin "/gone.so".',
      /^Load error: /,
    );
    assert.equal(code, 13);
  });
});
