/** What Mosquitto 2.1 does between its command line and "running": options, lines and their order, exit codes. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { after, describe, test } from 'node:test';
import { freePort, refusedStart, run, zancudo } from '../harness/mod.ts';
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
