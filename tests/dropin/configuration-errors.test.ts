/**
 * Every configuration error of Mosquitto 2.1, by its table: the literal line, the place, exit 3.
 *
 *   row: [ configuration, the line, number of the faulty line ]   the last line is the faulty one unless given
 *
 * `{dir}` is the directory of the configuration file.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { assertInOrder, Folder, rowsAtOnce, runToEnd, texts, versionLine, type Ended, type Owner } from './stage.ts';

type Row = readonly [conf: string, line: string, at?: number];

const onePort = 'listener 18830 127.0.0.1\n';
const bridge = 'connection b1\naddress 127.0.0.1\n';

const whileReading: readonly Row[] = [
  ['foo 1', "Error: Unknown configuration variable 'foo'."],
  ['Persistence true', "Error: Unknown configuration variable 'Persistence'."],
  ['max_queued_messages', "Error: Empty 'max_queued_messages' value in configuration."],
  ['pid_file', "Error: Empty 'pid_file' value in configuration."],
  ['listener', "Error: Empty 'listener port' value in configuration."],
  ['persistence yes', "Error: Invalid 'persistence' value (yes)."],
  ['persistence True', "Error: Invalid 'persistence' value (True)."],
  ['max_queued_messages ten', "Error: 'max_queued_messages' value not a number."],
  ['max_queued_messages 10k', "Error: 'max_queued_messages' value not a number."],
  ['max_queued_messages 99999999999', "Error: 'max_queued_messages' value out of range."],
  ['pid_file /a\npid_file /b', "Error: Duplicate 'pid_file' value in configuration."],
  ['pid_file /a\u0001b', 'Error: Malformed UTF-8 in configuration.'],
  ['mount_point x/', "Error: The 'mount_point' option requires a listener to be defined first."],
  ['cafile /x', "Error: The 'cafile' option requires a listener to be defined first."],
  ['tls_version tlsv1.2', "Error: The 'tls_version' option requires a listener to be defined first."],
  ['address 127.0.0.1', "Error: The 'address' option requires a bridge to be defined first."],
  ['topic #', "Error: The 'topic' option requires a bridge to be defined first."],
  ['plugin_opt_a 1', "Error: The 'plugin_opt_a' option requires plugin/global_plugin/plugin_load to be defined first."],
  [
    'auth_plugin_deny_special_chars true',
    'Error: An auth_plugin_deny_special_chars option exists in the config file without a plugin.',
  ],
  ['plugin mosquitto_acl_file.so\nplugin_opt_ x', "Error: Invalid 'plugin_opt_' config option."],
  ['plugin mosquitto_acl_file.so\nplugin_opt_a', "Error: Invalid 'plugin_opt_' config option."],
  ['plugin', "Error: Missing plugin path for plugin name '(null)'."],
  [
    'plugin_load a mosquitto_acl_file.so\nplugin_load a mosquitto_password_file.so',
    "Error: Duplicate plugin name 'a'.",
  ],
  ['plugin_load a', "Error: Missing plugin path for plugin name 'a'."],
  [`${onePort}plugin_use zz`, "Error: Plugin 'zz' not previously loaded."],
  ['listener 70000', "Error: Invalid 'port' value (70000)."],
  ['listener 0', 'Error: A listener with port 0 must provide a Unix socket path.'],
  ['bind_address no.such.name.invalid', 'Error: Error resolving bind_address: Name or service not known.'],
  [`${onePort}max_qos 3`, "Error: 'max_qos' must be between 0 and 2 inclusive."],
  ['max_inflight_messages 70000', "Error: 'max_inflight_messages' must be <= 65535."],
  ['max_keepalive 70000', "Error: Invalid 'max_keepalive' value (70000)."],
  ['sys_interval 70000', "Error: Invalid 'sys_interval' value (70000)."],
  ['log_facility 8', "Error: Invalid 'log_facility' value (8)."],
  ['memory_limit -1', "Error: Invalid 'memory_limit' value (-1)."],
  ['message_size_limit -1', "Error: Invalid 'message_size_limit' value (4294967295)."],
  ['max_packet_size 19', "Error: 'max_packet_size' must be >= 20."],
  [`${onePort}max_topic_alias 70000`, "Error: Invalid 'max_topic_alias' value in configuration."],
  [`${onePort}max_topic_alias_broker 70000`, "Error: Invalid 'max_topic_alias_broker' value in configuration."],
  ['packet_buffer_size 70000', 'Error: Packet buffer size must be between 0 and 65535 inclusive.'],
  ['websockets_headers_size 70000', 'Error: Packet buffer size must be between 0 and 65535 inclusive.'],
  [`${onePort}socket_domain ipx`, "Error: Invalid 'socket_domain' value 'ipx' in configuration."],
  [`${onePort}protocol mqttsn`, "Error: Invalid 'protocol' value (mqttsn)."],
  [`${onePort}accept_protocol_versions`, "Error: Empty 'accept_protocol_versions' value in configuration."],
  [`${onePort}enable_proxy_protocol 3`, 'Error: enable_proxy_protocol must be 1 or 2.'],
  ['include_dir {dir}/gone', "Error: Unable to open include_dir '{dir}/gone'."],
  ['persistent_client_expiration 1x', "Error: Invalid 'persistent_client_expiration' duration in configuration."],
  ['retain_expiry_interval 0', 'Error: retain_expiry_interval must be >= 1.'],
  [`auto_id_prefix ${'a'.repeat(51)}`, 'Error: auto_id_prefix length must be <= 50.'],
  [`${onePort}listener_auto_id_prefix ${'a'.repeat(51)}`, "Error: 'listener_auto_id_prefix' length must be <= 50."],
  ['log_dest foo', "Error: Invalid 'log_dest' value (foo)."],
  ['log_dest file /a\nlog_dest file /b', 'Error: Duplicate "log_dest file" value.'],
  ['log_dest file', 'Error: Empty "log_dest file" value in configuration.'],
  ['log_type foo', "Error: Invalid 'log_type' value (foo)."],
  [
    'allow_anonymous true\nper_listener_settings true',
    'Error: per_listener_settings must be set before any other security settings.',
  ],
  [`${onePort}psk_hint h\ncertfile /x`, 'Error: Cannot use both certificate and psk encryption in a single listener.'],
];

const bridgesWhileReading: readonly Row[] = [
  ['connection b1\nconnection b1', "Error: Duplicate bridge name 'b1'."],
  [`${bridge}address 127.0.0.2`, "Error: Invalid bridge configuration, 'address' only allowed once."],
  ['connection b1\naddress host:70000', 'Error: Invalid bridge port value (70000).'],
  [`${bridge}topic a sideways`, "Error: Invalid bridge topic direction 'sideways'."],
  [`${bridge}topic a out 3`, "Error: Invalid bridge QoS level '3'."],
  [`${bridge}topic "" out 0 l`, 'Error: Invalid bridge remapping.'],
  [`${bridge}topic a out 0 l/# r/`, "Error: Invalid bridge topic local prefix 'l/#'."],
  [`${bridge}topic a out 0 l/ r/#`, "Error: Invalid bridge topic remote prefix 'r/#'."],
  [`${bridge}bridge_protocol_version x`, "Error: Invalid 'bridge_protocol_version' value (x)."],
  [`${bridge}keepalive_interval 70000`, 'Error: Bridge keepalive value too high.'],
  [`${bridge}start_type manual`, 'Error: Manual start_type not supported.'],
  [`${bridge}start_type x`, "Error: Invalid 'start_type' value in configuration (x)."],
  [`${bridge}bridge_reload_type x`, "Error: Invalid 'bridge_reload_type' value in configuration (x)."],
  [`${bridge}restart_timeout 30 10`, 'Error: backoff cap is lower than the base in restart_timeout.'],
  [`${bridge}restart_timeout 5 30 -1`, 'Error: stable connection period cannot be negative.'],
  [`${bridge}bridge_session_expiry_interval -1`, 'Error: bridge_session_expiry_interval must not be negative.'],
  [`${bridge}bridge_receive_maximum 0`, 'Error: bridge_receive_maximum must be greater than 0.'],
  [`${bridge}bridge_max_topic_alias 70000`, 'Error: bridge_max_topic_alias must be > 0 and <= 65535.'],
  [`${bridge}bridge_tcp_keepalive 0 1 1`, 'Error: invalid TCP keepalive idle value.'],
  [`${bridge}bridge_tcp_keepalive 1 0 1`, 'Error: invalid TCP keepalive interval value.'],
  [`${bridge}bridge_tcp_keepalive 1 1 0`, 'Error: invalid TCP keepalive counter value.'],
  [`${bridge}bridge_tcp_keepalive 1 1`, "Error: Empty 'bridge_tcp_keepalive_counter' value in configuration."],
  [`${bridge}bridge_tcp_user_timeout -1`, 'Error: invalid TCP user timeout value.'],
  [
    `${bridge}bridge_cafile /x\nbridge_identity i`,
    "Error: 'bridge_identity': Cannot use both certificate and identity encryption in a single bridge.",
  ],
  [
    `${bridge}bridge_cafile /x\nbridge_psk ab`,
    "Error: 'bridge_psk': Cannot use both certificate and psk encryption in a single bridge.",
  ],
];

const afterReading: readonly Row[] = [
  [`${onePort}certfile /x`, 'Error: Both certfile and keyfile must be provided to enable a TLS listener.'],
  [`${onePort}keyfile /x`, 'Error: Both certfile and keyfile must be provided to enable a TLS listener.'],
  [`${onePort}certfile /x\npsk_hint h`, 'Error: Both certfile and keyfile must be provided to enable a TLS listener.'],
  [`${onePort}cafile /x`, 'Error: cafile specified without certfile and keyfile.'],
  [`${onePort}capath /x`, 'Error: capath specified without certfile and keyfile.'],
  [
    `${onePort}enable_proxy_protocol 2\ncertfile /x\nkeyfile /y`,
    'Error: certfile and keyfile cannot be used with `enable_proxy_protocol 2`.',
  ],
  [
    `${onePort}enable_proxy_protocol 2\nuse_subject_as_username true`,
    'Error: use_subject_as_username cannot be used with `enable_proxy_protocol 2`.',
  ],
  ['connection b1\ntopic #', 'Error: Invalid bridge configuration: no remote addresses defined.'],
  [bridge, 'Error: Invalid bridge configuration: no topics defined.'],
  [`${bridge}topic #\nbridge_psk ab`, 'Error: Invalid bridge configuration: missing bridge_identity.'],
  [`${bridge}topic #\nbridge_identity i`, 'Error: Invalid bridge configuration: missing bridge_psk.'],
  [
    `${bridge}topic #\nlocal_clientid x\nconnection b2\naddress 127.0.0.1\ntopic #\nlocal_clientid x`,
    "Error: Bridge local_clientid 'x' is not unique. Try changing or setting the local_clientid value for one of the bridges.",
  ],
];

/** The broker starts all the same: `--test-config` says OK after these lines. */
const warnings: readonly (readonly [conf: string, ...lines: string[]])[] = [
  ['retry_interval 20', "Warning: The 'retry_interval' option is no longer available."],
  [`${onePort}dhparamfile /x`, 'Warning: dhparamfile is no longer required.'],
  [
    'port 18831\nport 18832',
    "The 'port' option is now deprecated and will be removed in version 3.0. Please use 'listener' instead.",
    'Warning: Default listener port specified multiple times. Only the latest will be used.',
  ],
  [
    'auto_id_prefix a-',
    "The 'auto_id_prefix' option is now deprecated and will be removed in version 3.0. Please use 'listener_auto_id_prefix' instead.",
  ],
  [
    'max_connections 10',
    "Creating default listener due to 'max_connections' option.",
    "It is best practice to define a 'listener' first. Using the 'max_connections' option without a listener will be disabled in the future.",
  ],
  ['message_size_limit 100', 'Note: It is recommended to replace `message_size_limit` with `max_packet_size`.'],
  ['retain_expiry_interval 10000001', 'Warning: retain_expiry_interval being capped at 19 years.'],
];

/** These stand in front of the refusal of a bridge, which no configuration can do without yet. */
const bridgeWarnings: readonly Row[] = [
  [`${bridge}topic #\nrestart_timeout 0`, 'restart_timeout interval too low, using 1 second.'],
  [`${bridge}topic #\nkeepalive_interval 1`, 'keepalive interval too low, using 5 seconds.'],
  [`${bridge}topic #\nidle_timeout 0`, 'idle_timeout interval too low, using 1 second.'],
  [`${bridge}topic #\nthreshold 0`, 'threshold too low, using 1 message.'],
  [`${bridge}topic #\nrestart_timeout 5 9999`, 'Error: backoff cap too high, using 7200 seconds.'],
];

/** Runs one configuration to its end and takes its directory away. */
async function runConf(owner: Owner, conf: string, ...args: string[]): Promise<Ended & { path: string; dir: string }> {
  const folder = new Folder(owner);
  const path = folder.write('mosquitto.conf', conf.replaceAll('{dir}', folder.path));
  return { ...(await runToEnd(['-c', path, ...args])), path, dir: folder.path };
}

const named = (conf: string): string => conf.trim().split('\n').at(-1)!.slice(0, 60).replaceAll('\u0001', '^A');

describe('a fault found while reading a line names the line and ends with exit 3', rowsAtOnce, () => {
  for (const [conf, line, at] of [...whileReading, ...bridgesWhileReading]) {
    test(`${named(conf)} → ${line}`, async t => {
      const { code, lines, path, dir } = await runConf(t, conf);
      const number = at ?? conf.split('\n').length;
      const wanted = line.replaceAll('{dir}', dir);
      assert.equal(code, 3, lines.join('\n'));
      const found = lines.indexOf(wanted);
      assert.deepEqual(lines.slice(found, found + 2), [wanted, `Error found at ${path}:${number}.`], lines.join('\n'));
      assert.match(lines.at(-1)!, versionLine('terminating'));
    });
  }
});

describe('a fault of the whole file ends with exit 3 and names no line in Mosquitto’s words', rowsAtOnce, () => {
  for (const [conf, line] of afterReading) {
    test(`${named(conf)} → ${line}`, async t => {
      const { code, lines } = await runConf(t, conf);
      assert.equal(code, 3, lines.join('\n'));
      assertInOrder(lines, line);
      assert.ok(!lines.some(each => each.startsWith('Error found at')), lines.join('\n'));
      assert.match(lines.at(-1)!, versionLine('terminating'));
    });
  }
});

describe('a warning lets the broker start', rowsAtOnce, () => {
  for (const [conf, ...wanted] of warnings) {
    test(`${named(conf)} → ${wanted[0]}`, async t => {
      const { code, lines, stdout, stderr } = await runConf(t, conf, '--test-config');
      assert.equal(code, 0, lines.join('\n'));
      assertInOrder(texts(stderr.split('\n')), ...wanted);
      assert.equal(stdout, 'Configuration file is OK.\n');
    });
  }
  for (const [conf, line] of bridgeWarnings) {
    test(`${named(conf)} → ${line}`, async t => {
      const { lines } = await runConf(t, conf, '--test-config');
      assertInOrder(lines, line);
      assert.ok(!lines.some(each => each.startsWith('Error found at') && each.includes('restart_timeout')));
    });
  }
});

test('an http_dir that does not exist says only where it stands', async t => {
  const { code, lines, path } = await runConf(t, `${onePort}protocol http_api\nhttp_dir {dir}/gone`);
  assert.equal(code, 3);
  assert.equal(lines[0], `Error found at ${path}:3.`);
});

test('bytes that are no UTF-8 in a value are refused where they stand', async t => {
  const folder = new Folder(t);
  const path = folder.at('mosquitto.conf');
  writeFileSync(path, Buffer.concat([Buffer.from('pid_file /a'), Buffer.from([0xc3, 0x28, 0x0a])]));
  const { code, lines } = await runToEnd(['-c', path]);
  assert.equal(code, 3);
  assert.deepEqual(lines.slice(0, 2), ['Error: Malformed UTF-8 in configuration.', `Error found at ${path}:1.`]);
});

test('reading stops at the first fault', async t => {
  const { lines } = await runConf(t, 'foo 1\nbar 2');
  assert.ok(!lines.some(line => line.includes('bar')), lines.join('\n'));
});

test('errors of the configuration go to stderr whatever log_dest says', async t => {
  const { stderr, stdout } = await runConf(t, 'log_dest stdout\nlog_dest none\nfoo 1');
  assert.match(stderr, /Unknown configuration variable 'foo'/);
  assert.equal(stdout, '');
});

describe('include_dir', () => {
  const main = (folder: Folder): string => folder.write('mosquitto.conf', `include_dir ${folder.at('d')}\n`);

  test('a fault in an included file names that file and the line of the include', async t => {
    const folder = new Folder(t, { 'd/a.conf': '# fine\nfoo 1\n' });
    const path = main(folder);
    const { code, lines } = await runToEnd(['-c', path]);
    assert.equal(code, 3);
    assertInOrder(
      lines,
      "Error: Unknown configuration variable 'foo'.",
      `Error found at '${folder.at('d/a.conf')}:2'.`,
      `Error found at ${path}:1.`,
    );
  });

  test('inside an included file it is refused', async t => {
    const folder = new Folder(t, { 'd/a.conf': 'include_dir /tmp\n' });
    const { code, lines } = await runToEnd(['-c', main(folder)]);
    assert.equal(code, 3);
    assertInOrder(lines, 'Error: The include_dir option is only valid in the main configuration file.');
  });

  test('its files are read in the order 00 01 A a B b, other names and .conf alone are left out', async t => {
    const names = ['b.conf', 'B.conf', 'a.conf', 'A.conf', '01.conf', '00.conf', '.conf', 'c.txt'];
    const folder = new Folder(t, Object.fromEntries(names.map(name => [`d/${name}`, '# nothing\n'])));
    mkdirSync(folder.at('d/deeper.d'));
    const { code, lines } = await runToEnd(['-c', main(folder), '--test-config']);
    assert.equal(code, 0, lines.join('\n'));
    const loaded = lines.filter(line => line.startsWith('Loading config file'));
    const wanted = ['00', '01', 'A', 'a', 'B', 'b'].map(name => `Loading config file '${folder.at(`d/${name}.conf`)}'`);
    assert.deepEqual(loaded, wanted);
  });
});
