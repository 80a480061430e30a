/** What Mosquitto 2.1 does between its command line and "running": options, lines and their order, exit codes. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { freePort, makeCertificates, needs, refusedStart, run, zancudo, type BrokerOptions } from '../harness/mod.ts';
import { assertInOrder, Folder, rowsAtOnce, runToEnd, texts, versionLine, start } from './stage.ts';

describe('the command line', rowsAtOnce, () => {
  const folder = new Folder({ after }, { 'empty.conf': '', 'd/x': '' });

  const elevenPorts = Array.from({ length: 11 }, () => ['-p', '18830']).flat();
  const rows: readonly (readonly [args: readonly string[], line: string])[] = [
    [['-c', folder.at('gone')], `Error: Unable to open config file '${folder.at('gone')}'.`],
    [['-c', folder.at('d')], `Error: Config file '${folder.at('d')}' is a directory.`],
    [['-c'], 'Error: -c argument given, but no config file specified.'],
    [['-p'], 'Error: -p argument given, but no port specified.'],
    [['-p', '0'], 'Error: Invalid port specified (0).'],
    [['-p', 'x'], 'Error: Invalid port specified (0).'],
    [['-p', '70000'], 'Error: Invalid port specified (70000).'],
    [elevenPorts, 'Error: Only 10 ports can be specified on the command line.'],
    [['--foo'], "Error: Unknown option '--foo'."],
    [['--tls-keylog'], 'Error: --tls-keylog argument given, but no file specified.'],
    [['--test-config'], 'Please provide a configuration file to test.'],
  ];
  for (const [args, line] of rows) {
    test(`zancudo ${args.slice(0, 2).join(' ').replace(folder.path, 'DIR')} → ${line.replace(folder.path, 'DIR')}`, async () => {
      const { code, lines } = await runToEnd(args);
      assert.equal(code, 3, lines.join('\n'));
      assertInOrder(lines, line);
    });
  }

  test('an unknown option is followed by the usage text', async () => {
    const { lines } = await runToEnd(['--foo']);
    assert.match(lines.join('\n'), /Usage: \S+ \[-c config_file\]/);
  });

  test('every refusal says that it is terminating', async () => {
    for (const args of [['-c', folder.at('gone')], ['-p', 'x'], ['--foo'], ['--test-config']]) {
      const { lines } = await runToEnd(args);
      assert.ok(
        lines.some(line => versionLine('terminating').test(line)),
        lines.join('\n'),
      );
    }
  });

  test('-h and --help print the usage text and end with 0', async () => {
    for (const option of ['-h', '--help']) {
      const { code, stdout } = await runToEnd([option]);
      assert.equal(code, 0);
      assert.match(stdout, /Usage:/);
    }
  });

  test('--test-config looks at the configuration file only: no certificate, no password file, no port', async () => {
    const busy = createServer().listen(0, '127.0.0.1');
    await once(busy, 'listening');
    const { port } = busy.address() as { port: number };
    const path = folder.write(
      'missing.conf',
      `listener ${port} 127.0.0.1\ncertfile /gone.crt\nkeyfile /gone.key\npassword_file /gone\nacl_file /gone\n`,
    );
    const { code, stdout } = await runToEnd(['-c', path, '--test-config']);
    busy.close();
    assert.equal(code, 0);
    assert.equal(stdout, 'Configuration file is OK.\n');
  });

  test('--test-config ends with 3 and the line at fault', async () => {
    const path = folder.write('bad.conf', 'foo 1\n');
    const { code, lines } = await runToEnd(['-c', path, '--test-config']);
    assert.equal(code, 3);
    assertInOrder(lines, "Error: Unknown configuration variable 'foo'.", `Error found at ${path}:1.`);
  });
});

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

test('a log file that cannot be written is told on stderr, and the broker starts', async t => {
  const broker = await start(t, {
    conf: at => `listener ${at.port()} 127.0.0.1\nlog_dest file ${at.directory}/gone/log\nlog_dest stderr\n`,
  });
  const said = texts(broker.lines);
  await broker.stop();
  assertInOrder(
    said,
    `Error: Unable to open log file ${broker.directory}/gone/log for writing.`,
    versionLine('running'),
  );
});

test('plugin_load without plugin_use starts, and says that nobody uses it', async t => {
  const broker = await start(t, {
    conf: at =>
      `listener ${at.port()} 127.0.0.1\nplugin_load a mosquitto_acl_file.so\nplugin_opt_acl_file ${at.directory}/mosquitto.conf\n`,
  });
  const { log } = broker;
  await broker.stop();
  assert.match(log, /plugin_use/);
});

test('the lines of a start come in Mosquitto’s order', async t => {
  const broker = await start(t, {
    conf: at =>
      `listener ${at.port()}\nlistener 0 ${at.directory}/socket\nlistener ${at.port(1)} 127.0.0.1\nprotocol websockets\n`,
  });
  const { directory, port, ports } = broker;
  const code = await broker.stop();
  assert.equal(code, 0);
  assertInOrder(
    texts(broker.lines),
    versionLine('starting'),
    `Config loaded from ${directory}/mosquitto.conf.`,
    'TLS support available.',
    'TLS-PSK support available.',
    'Websockets support available.',
    `Opening ipv4 listen socket on port ${port}.`,
    `Opening ipv6 listen socket on port ${port}.`,
    `Opening unix listen socket on path ${directory}/socket.`,
    `Opening ipv4 listen socket on port ${ports[1]}.`,
    versionLine('running'),
    versionLine('terminating'),
  );
});

describe('local only mode', () => {
  const threeLines = [
    'Starting in local only mode. Connections will only be possible from clients running on this machine.',
    'Create a configuration file which defines a listener to allow remote access.',
  ];

  test('a configuration without listener opens loopback on each -p, for everybody', async t => {
    const [first, second] = [await freePort(), await freePort()];
    const broker = await start(t, { conf: '', args: ['-p', `${first}`, '-p', `${second}`] });
    const said = texts(broker.lines);
    await broker.stop();
    assertInOrder(said, ...threeLines, `Opening ipv4 listen socket on port ${first}.`, versionLine('running'));
    assertInOrder(said, `Opening ipv4 listen socket on port ${second}.`);
  });

  test('-p is without effect where the configuration has a listener', async t => {
    const other = await freePort();
    const broker = await start(t, { args: ['-p', `${other}`] });
    const said = texts(broker.lines);
    await broker.stop();
    assert.ok(!said.some(line => line.startsWith('Opening') && line.includes(`${other}`)), said.join('\n'));
    assertInOrder(said, `Opening ipv4 listen socket on port ${broker.port}.`);
  });

  test('-p alone needs no configuration', async t => {
    const port = await freePort();
    const broker = await start(t, { conf: null, args: ['-p', `${port}`], dropPrivileges: true });
    const said = texts(broker.lines);
    await broker.stop();
    assertInOrder(said, 'Using default config.', ...threeLines, versionLine('running'));
  });
});

describe('-v and -q', () => {
  test('-v logs everything, whatever log_type says', async t => {
    const conf = (at: { port(): number }): string =>
      `listener ${at.port()} 127.0.0.1\nallow_anonymous true\nlog_type error\n`;
    const broker = await start(t, { conf, args: ['-v'] });
    await broker.stop();
    assertInOrder(texts(broker.lines), versionLine('running'));
  });

  test('-q logs nothing', async t => {
    const folder = new Folder(t, { 'bad.conf': `listener ${await freePort()} 127.0.0.1\npassword_file /gone\n` });
    const { code, stderr, stdout } = await runToEnd(['-c', folder.at('bad.conf'), '-q'], { env: asThisUser() });
    assert.equal(code, 13);
    assert.equal(stderr + stdout, '');
  });
});

function asThisUser(): NodeJS.ProcessEnv {
  return { ...process.env, PUID: '0', PGID: '0' };
}

test('called mosquitto it takes the place of mosquitto: -h, -c and the exit codes', async t => {
  const folder = new Folder(t, { 'bad.conf': 'foo 1\n' });
  const mosquitto = folder.at('mosquitto');
  symlinkSync(zancudo, mosquitto);
  const bad = await run(mosquitto, ['-c', folder.at('bad.conf')]);
  const word = await run(mosquitto, ['pub']);
  assert.equal(bad.code, 3);
  assert.equal(word.code, 3, 'a first word is an unknown option, not a command');
});

test('a secret file that everybody can read is a warning', async t => {
  const folder = new Folder(t, { passwords: '' });
  chmodSync(folder.at('passwords'), 0o644);
  const broker = await start(t, {
    conf: at => `listener ${at.port()} 127.0.0.1\npassword_file ${folder.at('passwords')}\n`,
  });
  const said = texts(broker.lines);
  await broker.stop();
  assertInOrder(
    said,
    `Warning: File ${folder.at('passwords')} has world readable permissions. Future versions will refuse to load this file.`,
    `To fix this, use \`chmod 0700 ${folder.at('passwords')}\`.`,
  );
});

test('a password file that is a symbolic link is refused unless the environment allows it', async t => {
  const folder = new Folder(t, { real: '' });
  chmodSync(folder.at('real'), 0o600);
  symlinkSync(folder.at('real'), folder.at('link'));
  const conf = `listener ${await freePort()} 127.0.0.1\npassword_file ${folder.at('link')}\n`;
  const { code, lines } = await refusedStart({ conf });
  assert.equal(code, 13);
  assertInOrder(texts(lines), `password-file: Error: Unable to open pwfile "${folder.at('link')}".`);
  const broker = await start(t, { conf, env: { MOSQUITTO_UNSAFE_ALLOW_SYMLINKS: '1' } });
  await broker.stop();
});

test('the plugins of Mosquitto for passwords and rules are known by their file names', async t => {
  const folder = new Folder(t, { passwords: '', rules: 'topic read a\n' });
  const broker = await start(t, {
    conf: at =>
      `listener ${at.port()} 127.0.0.1\nallow_anonymous true\n` +
      `plugin /usr/lib/mosquitto_password_file.so\nplugin_opt_password_file ${folder.at('passwords')}\n` +
      `global_plugin mosquitto_acl_file.so\nplugin_opt_acl_file ${folder.at('rules')}\n`,
  });
  const said = texts(broker.lines);
  await broker.stop();
  assertInOrder(
    said,
    versionLine('starting'),
    'Loading plugin: /usr/lib/mosquitto_password_file.so',
    "Plugin password-file has registered to receive 'basic-auth' events.",
    "Plugin password-file has registered to receive 'reload' events.",
    versionLine('running'),
  );
  assertInOrder(
    said,
    'Loading plugin: mosquitto_acl_file.so',
    "Plugin acl-file has registered to receive 'acl-check' events.",
    "Plugin acl-file has registered to receive 'reload' events.",
    versionLine('running'),
  );
});

test('the pid file holds the process id without a newline while the broker runs', async t => {
  const broker = await start(t, {
    conf: at => `pid_file ${at.directory}/pid\nlistener ${at.port()} 127.0.0.1\n`,
  });
  const path = `${broker.directory}/pid`;
  assert.equal(readFileSync(path, 'utf8'), `${broker.process.pid}`);
  broker.signal('SIGTERM');
  await broker.logged(/terminating/);
  assert.equal(existsSync(path), false);
  await broker.stop();
});
