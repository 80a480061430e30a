import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfiguration } from './load.ts';
import { failureOf, file, folder, load, messagesOf, settingsOf } from './shared.test.ts';

const tlsFiles = 'certfile /c\nkeyfile /k\n';

function listenersOf(content: string, ports: number[] = []): string[] {
  const { listeners } = settingsOf(content, ports);
  return listeners.map(each => `${each.port} ${each.host ?? '*'} ${each.allowAnonymous ? 'anonymous' : 'known'}`);
}

test('without a file the broker listens on this machine only, and lets everybody in', () => {
  const result = loadConfiguration(null, { ports: [] });
  assert.ok(result.ok);
  assert.equal(result.settings.localOnly, true);
  assert.deepEqual(
    result.settings.listeners.map(({ port, host, allowAnonymous }) => [port, host, allowAnonymous]),
    [
      [1883, '127.0.0.1', true],
      [1883, '::1', true],
    ],
  );
});

test('a file without a listener is local-only mode, and allow_anonymous false holds there too', () => {
  assert.deepEqual(listenersOf('sys_interval 5'), ['1883 127.0.0.1 anonymous', '1883 ::1 anonymous']);
  assert.deepEqual(listenersOf('allow_anonymous false'), ['1883 127.0.0.1 known', '1883 ::1 known']);
});

test('-p moves local-only mode and is passed over when the file opens its own ports', () => {
  assert.deepEqual(
    listenersOf('sys_interval 5', [1884, 1885]).map(each => each.split(' ')[0]),
    ['1884', '1884', '1885', '1885'],
  );
  assert.deepEqual(listenersOf('listener 1900', [1884]), ['1900 * known']);
  assert.deepEqual(messagesOf('listener 1900', [1884]), [
    'warning: -p 1884 is passed over: the configuration file opens its own listeners.',
  ]);
});

test('a listener line ends local-only mode: anonymous clients stay out unless the file lets them in', () => {
  assert.deepEqual(listenersOf('listener 1883'), ['1883 * known']);
  assert.deepEqual(listenersOf('listener 1883\nallow_anonymous true'), ['1883 * anonymous']);
  assert.deepEqual(listenersOf('allow_anonymous true\nlistener 1883\nlistener_allow_anonymous false'), [
    '1883 * known',
  ]);
  assert.deepEqual(listenersOf('allow_anonymous false\nlistener 1883\nlistener_allow_anonymous true'), [
    '1883 * anonymous',
  ]);
});

test('port and options without a listener line make the default listener, and say so', () => {
  assert.deepEqual(listenersOf('port 8884'), ['8884 * known']);
  assert.deepEqual(listenersOf('bind_address 127.0.0.1'), ['1883 127.0.0.1 known']);
  assert.deepEqual(listenersOf('max_connections 3'), ['1883 * known']);
  assert.deepEqual(messagesOf('port 8884\nport 8885'), [
    "notice: The 'port' option is now deprecated and will be removed in version 3.0. Please use 'listener' instead.",
    "information: Creating default listener due to 'port' option.",
    "information: It is best practice to define a 'listener' first. Using the 'port' option without a listener will be disabled in the future.",
    "notice: The 'port' option is now deprecated and will be removed in version 3.0. Please use 'listener' instead.",
    'warning: Warning: Default listener port specified multiple times. Only the latest will be used.',
  ]);
});

test('after port the default listener is current, so the options of old tutorials find it', () => {
  const [listener] = settingsOf('port 8883\ncafile /ca\ncertfile /c\nkeyfile /k\ntls_version tlsv1').listeners;
  assert.deepEqual([listener?.port, listener?.cafile, listener?.tlsVersion], [8883, '/ca', 'TLSv1.2']);
  assert.equal(
    failureOf('port 1883\naccept_protocol_versions 5').lines[0],
    "Error: The 'accept_protocol_versions' option requires a listener to be defined first.",
  );
});

test('options belong to the listener above them', () => {
  const { listeners } = settingsOf(
    'listener 1883\nmax_qos 1\nlistener 8883 10.0.0.1\nmount_point a/\nlistener 0 /run/x.sock',
  );
  assert.deepEqual(
    listeners.map(({ port, host, unixPath, maxQos, mountPoint }) => [port, host, unixPath, maxQos, mountPoint]),
    [
      [1883, null, null, 1, ''],
      [8883, '10.0.0.1', null, 2, 'a/'],
      [0, null, '/run/x.sock', 2, ''],
    ],
  );
});

test('tls_version keeps its text: tlsv1 and tlsv1.1 become TLS 1.2 with a warning, nonsense is left to the listener', () => {
  const versionOf = (text: string) => settingsOf(`listener 8883\ntls_version ${text}`).listeners[0];
  assert.deepEqual(
    ['tlsv1', 'tlsv1.0', 'tlsv1.1', 'tlsv1.2', 'tlsv1.3', 'foo', '__proto__'].map(text => versionOf(text)?.tlsVersion),
    ['TLSv1.2', 'TLSv1.2', 'TLSv1.2', 'TLSv1.2', 'TLSv1.3', null, null],
  );
  assert.equal(versionOf('foo')?.tlsVersionText, 'foo');
  const warning = messagesOf('listener 8883\ntls_version tlsv1').join('\n');
  assert.match(
    warning,
    /warning: FILE:2: 'tls_version tlsv1' .* obsolete.*\n.*TLS 1\.2 and 1\.3.*tls_version tlsv1\.2/,
  );
  assert.deepEqual(messagesOf('listener 8883\ntls_version tlsv1.3'), []);
});

test('per_listener_settings gives every listener a security scope of its own', () => {
  const { listeners } = settingsOf(
    'per_listener_settings true\nlistener 1883\nallow_anonymous true\nlistener 8883\npassword_file /p\nauto_id_prefix x-',
  );
  assert.deepEqual(
    listeners.map(({ allowAnonymous, autoIdPrefix, security }) => [
      allowAnonymous,
      autoIdPrefix,
      security.passwordFile,
    ]),
    [
      [true, 'auto-', null],
      [false, 'x-', '/p'],
    ],
  );
});

test('without it all listeners share one scope', () => {
  const { listeners, security } = settingsOf('listener 1883\nlistener 8883\npassword_file /p');
  assert.ok(listeners.every(listener => listener.security === security));
  assert.equal(security.passwordFile, '/p');
});

test('per_listener_settings must come first and needs a listener above what it governs', () => {
  assert.deepEqual(failureOf('allow_anonymous true\nper_listener_settings true').lines, [
    'Error: per_listener_settings must be set before any other security settings.',
    'Error found at FILE:2.',
  ]);
  assert.deepEqual(failureOf('per_listener_settings true\nacl_file /a').lines, [
    "Error: The 'acl_file' option requires a listener to be defined first.",
    'Error found at FILE:2.',
  ]);
  assert.equal(
    settingsOf('per_listener_settings true\nper_listener_settings false\nlistener 1').perListenerSettings,
    true,
  );
});

test('files that go together are refused apart, after the whole file was read', () => {
  const refused: [string, string][] = [
    ['listener 1\ncertfile /c', 'Error: Both certfile and keyfile must be provided to enable a TLS listener.'],
    ['listener 1\nkeyfile /k', 'Error: Both certfile and keyfile must be provided to enable a TLS listener.'],
    ['listener 1\ncafile /c', 'Error: cafile specified without certfile and keyfile.'],
    ['listener 1\ncapath /c', 'Error: capath specified without certfile and keyfile.'],
    [
      `listener 1\nenable_proxy_protocol 2\n${tlsFiles}`,
      'Error: certfile and keyfile cannot be used with `enable_proxy_protocol 2`.',
    ],
    [
      'listener 1\nenable_proxy_protocol 2\nuse_subject_as_username true',
      'Error: use_subject_as_username cannot be used with `enable_proxy_protocol 2`.',
    ],
    [
      `listener 1\n${tlsFiles}psk_hint h`,
      'Error: Cannot use both certificate and psk encryption in a single listener.',
    ],
    [
      `listener 1\n${tlsFiles}certfile_rsa /r`,
      'Error: certfile_rsa and keyfile_rsa must both be provided, besides certfile and keyfile.',
    ],
  ];
  for (const [content, line] of refused) {
    const { lines, exitCode } = failureOf(content);
    assert.deepEqual([lines, exitCode], [[line], 3], content);
  }
});

test('a certificate after psk_hint is refused where it stands', () => {
  const line = 'Error: Cannot use both certificate and psk encryption in a single listener.';
  assert.deepEqual(failureOf('listener 1\npsk_hint h\ncertfile /c').lines, [line, 'Error found at FILE:3.']);
  assert.deepEqual(failureOf('listener 1\ncertfile /c\npsk_file /p').lines, [line, 'Error found at FILE:3.']);
});

test('a mistyped name is refused with the name that was meant', () => {
  const { lines, explanation, exitCode } = failureOf('listener 1883\nmax_inflight_mesages 5');
  assert.deepEqual(lines, ["Error: Unknown configuration variable 'max_inflight_mesages'.", 'Error found at FILE:2.']);
  assert.match(explanation.join('\n'), /'max_inflight_messages'/);
  assert.equal(exitCode, 3);
});

test('an option that cannot be refuses the file and says which', () => {
  const refused: [string, RegExp][] = [
    ['listener 1\ntls_engine pkcs11', /'tls_engine' cannot be used/],
    ['listener 1\ntls_keyform engine', /'tls_keyform' cannot be used/],
  ];
  for (const [content, line] of refused) {
    const { lines, explanation } = failureOf(content);
    assert.match(lines[0] ?? '', line);
    assert.match(lines[1] ?? '', /^Error found at FILE:\d\.$/);
    assert.ok(explanation.length > 0);
  }
  assert.ok(load('listener 1\nprotocol websockets\nlistener 2\nprotocol http_api\nenable_control_api true\n').ok);
});

test('what has no effect is accepted, and a line says why', () => {
  assert.match(
    messagesOf('autosave_interval 5')[0] ?? '',
    /^warning: FILE:1: 'autosave_interval' has no effect here: .* is on the disk already/,
  );
  assert.deepEqual(messagesOf('persistence true\npersistence_location /tmp'), []);
  assert.deepEqual(messagesOf('retry_interval 20\ndhparamfile /d').slice(0, 2), [
    "warning: Warning: The 'retry_interval' option is no longer available.",
    'warning: Warning: dhparamfile is no longer required.',
  ]);
  for (const line of [
    'memory_limit 1000',
    'websockets_log_level 255',
    'log_dest dlt',
    'autosave_interval 5',
    'trace_level x',
  ]) {
    assert.ok(
      messagesOf(line).some(text => text.includes('has no effect here')),
      line,
    );
  }
});

test('the built-in plugins are the password file and the ACL file', () => {
  const plugins =
    'plugin /usr/lib/mosquitto_password_file.so\nplugin_opt_password_file /p\nplugin C:\\m\\mosquitto_acl_file.dll\nplugin_opt_acl_file /a';
  const { security } = settingsOf(`listener 1\n${plugins}`).listeners[0] ?? {};
  assert.deepEqual([security?.passwordFile, security?.aclFile], ['/p', '/a']);
});

test('plugin_use gives a listener a file of its own', () => {
  const { listeners } = settingsOf(
    'plugin_load pw mosquitto_password_file.so\nplugin_opt_password_file /p\nlistener 1\nlistener 2\nplugin_use pw',
  );
  assert.deepEqual(
    listeners.map(listener => listener.security.passwordFile),
    [null, '/p'],
  );
});

test('of two password files for one listener the plugin answers, and a warning names the other', () => {
  const content = 'password_file /file\nplugin mosquitto_password_file.so\nplugin_opt_password_file /plugin\n';
  assert.equal(settingsOf(content).listeners[0]?.security.passwordFile, '/plugin');
  assert.deepEqual(
    messagesOf(content).filter(text => text.includes('never asked')),
    ["warning: '/file' is never asked: '/plugin' answers first, and for good. Take one of the two password files out."],
  );
});

test('a plugin of somebody else is known as such, for the start to refuse', () => {
  assert.equal(settingsOf('plugin /usr/lib/go-auth.so').plugins[0]?.kind, 'foreign');
});

test('a plugin without its option or with a wrong one is refused', () => {
  assert.match(failureOf('plugin mosquitto_acl_file.so').lines[0] ?? '', /needs the option 'plugin_opt_acl_file'/);
  assert.match(
    failureOf('plugin mosquitto_acl_file.so\nplugin_opt_passwords /x').lines[0] ?? '',
    /has no option 'plugin_opt_passwords'/,
  );
  assert.deepEqual(failureOf('plugin_load a x.so\nplugin_load a y.so').lines[0], "Error: Duplicate plugin name 'a'.");
  assert.deepEqual(failureOf('listener 1\nplugin_use zz').lines[0], "Error: Plugin 'zz' not previously loaded.");
});

test('a plugin option without a name, or short and without a value, is refused as in Mosquitto', () => {
  const plugin = 'plugin mosquitto_acl_file.so\n';
  for (const option of ['plugin_opt_', 'plugin_opt_ x', 'plugin_opt_a', 'auth_opt_ab']) {
    assert.equal(failureOf(plugin + option).lines[0], "Error: Invalid 'plugin_opt_' config option.");
  }
});

test('a plugin that nobody uses is a warning', () => {
  const messages = messagesOf('plugin_load pw mosquitto_password_file.so\nplugin_opt_password_file /p');
  assert.match(messages.join('\n'), /plugin 'pw' is loaded, but no plugin_use attaches it/);
});

test('log lines go where the file says, and none takes back what stands above', () => {
  assert.deepEqual(settingsOf('sys_interval 1').log.destinations, [{ kind: 'stderr' }]);
  assert.deepEqual(settingsOf('log_dest syslog\nlog_dest file /var/log/a b.log').log.destinations, [
    { kind: 'syslog' },
    { kind: 'file', path: '/var/log/a b.log' },
  ]);
  assert.deepEqual(settingsOf('log_dest syslog\nlog_dest none').log.destinations, []);
  assert.equal(failureOf('log_dest file /a\nlog_dest file /b').lines[0], 'Error: Duplicate "log_dest file" value.');
});

test('a logging service that is not here leaves the log where it was', () => {
  assert.deepEqual(settingsOf('log_dest dlt').log.destinations, [{ kind: 'stderr' }]);
  assert.deepEqual(settingsOf('log_dest dlt\nlog_dest syslog').log.destinations, [{ kind: 'syslog' }]);
});

test('one port twice is a warning that names both lines', () => {
  assert.deepEqual(messagesOf('listener 1883\nlistener 1883 ::1\nlistener 1883'), [
    'warning: FILE:3: port 1883 is opened at FILE:1 already; one of the two will fail.',
  ]);
});

test('the first log_type replaces the default, the next ones add', () => {
  assert.deepEqual(settingsOf('log_type error\nlog_type debug').log.classes, ['error', 'debug']);
  assert.deepEqual(settingsOf('log_type none').log.classes, []);
  assert.equal(settingsOf('log_type all').log.classes.length, 9);
});

test('numbers are C integers: decimal, hexadecimal, octal', () => {
  const limit = (text: string): number => settingsOf(`max_queued_messages ${text}`).maxQueuedMessages;
  assert.deepEqual(['10', '0x10', '010', '+7', '-3', '0'].map(limit), [10, 16, 8, 7, 0, 0]);
  for (const text of ['10k', '08', '0x', '1e3', 'x', '1.5']) {
    assert.equal(failureOf(`max_queued_messages ${text}`).lines[0], "Error: 'max_queued_messages' value not a number.");
  }
  for (const text of ['2147483648', '0xffffffffff']) {
    assert.equal(failureOf(`max_queued_messages ${text}`).lines[0], "Error: 'max_queued_messages' value out of range.");
  }
});

test('units are converted once, here', () => {
  assert.equal(settingsOf('persistent_client_expiration 2m').persistentClientExpirationSeconds, 60 * 86_400);
  assert.equal(settingsOf('retain_expiry_interval 3').retainExpiryIntervalSeconds, 180);
  assert.equal(settingsOf('retain_expiry_interval 20000000').retainExpiryIntervalSeconds, 600_000_000);
});

test('a bridge that lacks something is refused, and the line says what', () => {
  const refused: [string, string][] = [
    ['connection b\ntopic #', 'Error: Invalid bridge configuration: no remote addresses defined.'],
    ['connection b\naddress h', 'Error: Invalid bridge configuration: no topics defined.'],
    [
      'connection b\naddress h\ntopic #\nbridge_psk aa',
      'Error: Invalid bridge configuration: missing bridge_identity.',
    ],
    ['connection b\naddress h\ntopic #\nbridge_identity i', 'Error: Invalid bridge configuration: missing bridge_psk.'],
    [
      'connection b\naddress h\ntopic #\nbridge_require_ocsp true',
      'Error: Invalid bridge configuration: bridge_require_ocsp without certificates.',
    ],
  ];
  for (const [content, line] of refused) assert.deepEqual(failureOf(content).lines, [line]);
  const at = (content: string): string | undefined => failureOf(content).lines[0];
  assert.equal(at('connection b\nconnection b'), "Error: Duplicate bridge name 'b'.");
  assert.equal(
    at('connection b\naddress h\naddress i'),
    "Error: Invalid bridge configuration, 'address' only allowed once.",
  );
  assert.equal(
    at('connection b\nbridge_psk aa\nbridge_cafile /c'),
    "Error: 'bridge_cafile': Cannot use both certificate and psk encryption in a single bridge.",
  );
  assert.equal(
    at('connection b\nbridge_cafile /c\nbridge_identity i'),
    "Error: 'bridge_identity': Cannot use both certificate and identity encryption in a single bridge.",
  );
  assert.equal(
    at('connection b\nbridge_cafile /c\nbridge_psk aa'),
    "Error: 'bridge_psk': Cannot use both certificate and psk encryption in a single bridge.",
  );
  const twice =
    'connection a\naddress h\ntopic #\nlocal_clientid x\nconnection b\naddress h\ntopic #\nlocal_clientid x';
  assert.equal(
    at(twice),
    "Error: Bridge local_clientid 'x' is not unique. Try changing or setting the local_clientid value for one of the bridges.",
  );
});

test('a file that is not there or is a directory has no line to blame', () => {
  const missing = loadConfiguration(`${folder}/none.conf`, { ports: [] });
  assert.ok(!missing.ok);
  assert.deepEqual(missing.failure.lines, [`Error: Unable to open config file '${folder}/none.conf'.`]);
  const directory = loadConfiguration(folder, { ports: [] });
  assert.ok(!directory.ok);
  assert.deepEqual(directory.failure.lines, [`Error: Config file '${folder}' is a directory.`]);
  assert.equal(directory.failure.exitCode, 3);
});

test('every option knows the line it came from', () => {
  const path = file('sys_interval 5\nlistener 1883\nmax_qos 1\n');
  const result = loadConfiguration(path, { ports: [] });
  assert.ok(result.ok);
  assert.deepEqual(result.settings.places.sys_interval, { file: path, line: 1 });
  assert.deepEqual(result.settings.listeners[0]?.places.max_qos, { file: path, line: 3 });
  assert.deepEqual(result.settings.listeners[0]?.place, { file: path, line: 2 });
});

const dynsec = 'plugin /usr/lib/mosquitto_dynamic_security.so\nplugin_opt_config_file /d\n';

test('dynamic security is asked by the listeners that its plugin serves, in the turn that Mosquitto gives it', () => {
  const turns = (content: string): unknown[] =>
    settingsOf(content).listeners.map(each => each.security.dynamicSecurity);
  const first = { beforePasswords: true, beforeAcl: true };
  assert.deepEqual(turns(`listener 1\n${dynsec}`), [first]);
  assert.deepEqual(turns(`listener 1\npassword_file /p\nacl_file /a\n${dynsec}`), [first]);
  const acl = 'plugin mosquitto_acl_file.so\nplugin_opt_acl_file /a\n';
  assert.deepEqual(turns(`listener 1\n${acl}${dynsec}`), [{ beforePasswords: true, beforeAcl: false }]);
  const own = `per_listener_settings true\nlistener 1\npassword_file /p\n${dynsec}listener 2\n`;
  assert.deepEqual(turns(own), [{ beforePasswords: false, beforeAcl: true }, null]);
  const used =
    'plugin_load d mosquitto_dynamic_security.so\nplugin_opt_config_file /d\nlistener 1\nlistener 2\nplugin_use d\n';
  assert.deepEqual(turns(used), [null, first]);
});

test('dynamic security without its file is off, and says so; a second one and unknown options are told', () => {
  const { dynamicSecurity } = settingsOf(`listener 1\n${dynsec}plugin_opt_password_init_file /i\n`);
  assert.deepEqual([dynamicSecurity?.configFile, dynamicSecurity?.passwordInitFile], ['/d', '/i']);
  const without = 'listener 1\nplugin mosquitto_dynamic_security.so\nplugin_opt_confg_file /d\n';
  const { listeners, dynamicSecurity: none } = settingsOf(without);
  assert.deepEqual([none, listeners[0]?.security.dynamicSecurity], [null, null]);
  assert.match(messagesOf(without).join('\n'), /'plugin_opt_confg_file' is no option of dynamic-security.*\n.*no plugin_opt_config_file defined/); // prettier-ignore
  assert.match(failureOf(`listener 1\n${dynsec}${dynsec}`).lines[0] ?? '', /can only be loaded once/);
});

test('sparkplug-aware counts for the listeners that it serves', () => {
  const aware = (content: string): boolean[] => settingsOf(content).listeners.map(each => each.sparkplugAware);
  assert.deepEqual(aware('plugin mosquitto_sparkplug_aware.so\nlistener 1\nlistener 2\n'), [true, true]);
  assert.deepEqual(aware('plugin_load s mosquitto_sparkplug_aware.so\nlistener 1\nplugin_use s\nlistener 2\n'), [true, false]); // prettier-ignore
});
