import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfError } from '../error.ts';
import { confLines, Oddities } from '../lines.ts';
import { Reading } from '../reading.ts';
import { readLine } from '../read.ts';
import { chapters, findOption, optionNames, optionRows } from './table.ts';
import type { OptionRow } from './row.ts';

/** Every name that a mosquitto.conf of Mosquitto 1.4 to 2.1 can have. */
const mosquittoNames = `
accept_protocol_versions acl_file address addresses allow_anonymous allow_duplicate_messages allow_zero_length_clientid
auth_opt_* auth_plugin auth_plugin_deny_special_chars auto_id_prefix autosave_interval autosave_on_changes bind_address
bind_interface bridge_alpn bridge_attempt_unsubscribe bridge_bind_address bridge_cafile bridge_capath bridge_certfile
bridge_ciphers bridge_ciphers_tls1.3 bridge_identity bridge_insecure bridge_keyfile bridge_max_packet_size
bridge_max_topic_alias bridge_outgoing_retain bridge_protocol_version bridge_psk bridge_receive_maximum
bridge_reload_type bridge_require_ocsp bridge_session_expiry_interval bridge_tcp_keepalive bridge_tcp_user_timeout
bridge_tls_use_os_certs bridge_tls_version cafile capath certfile check_retain_source ciphers ciphers_tls1.3
cleansession clientid clientid_prefixes connection connection_messages crlfile dhparamfile
disable_client_cert_date_checks enable_control_api enable_proxy_protocol ffdc_output global_max_clients
global_max_connections global_plugin http_dir idle_timeout include_dir keepalive_interval keyfile listener
listener_allow_anonymous listener_auto_id_prefix local_cleansession local_clientid local_password local_username
log_dest log_facility log_timestamp log_timestamp_format log_type max_connections max_inflight_bytes
max_inflight_messages max_keepalive max_log_entries max_packet_size max_qos max_queued_bytes max_queued_messages
max_topic_alias max_topic_alias_broker maximum_qos memory_limit message_size_limit mount_point notification_topic
notifications notifications_local_only packet_buffer_size password password_file per_listener_settings persistence
persistence_file persistence_location persistent_client_expiration pid_file plugin plugin_load plugin_use plugin_opt_*
port protocol proxy_protocol_v2_require_tls psk_file psk_hint queue_qos0_messages remote_clientid remote_password
remote_username require_certificate restart_timeout retain_available retain_expiry_interval retained_persistence
retry_interval round_robin set_tcp_nodelay socket_domain start_type store_clean_interval sys_interval threshold
tls_engine tls_engine_kpass_sha1 tls_keyform tls_version topic trace_level trace_output try_private
upgrade_outgoing_qos use_identity_as_username use_subject_as_username use_username_as_clientid user username
websockets_headers_size websockets_log_level websockets_origin`
  .trim()
  .split(/\s+/);

const ourNames = [
  'admin_socket',
  'auth_backend',
  'auth_backend_access_attribute',
  'auth_backend_acl_answers',
  'auth_backend_acl_claim',
  'auth_backend_acl_query',
  'auth_backend_acl_url',
  'auth_backend_audience',
  'auth_backend_cache_refusal_seconds',
  'auth_backend_cache_seconds',
  'auth_backend_cache_size',
  'auth_backend_cafile',
  'auth_backend_certfile',
  'auth_backend_clock_skew',
  'auth_backend_connections',
  'auth_backend_database',
  'auth_backend_file',
  'auth_backend_group_base',
  'auth_backend_group_filter',
  'auth_backend_host',
  'auth_backend_issuer',
  'auth_backend_jwks_url',
  'auth_backend_key_file',
  'auth_backend_key_prefix',
  'auth_backend_keyfile',
  'auth_backend_name_attribute',
  'auth_backend_params',
  'auth_backend_password_file',
  'auth_backend_port',
  'auth_backend_response',
  'auth_backend_salt_encoding',
  'auth_backend_socket',
  'auth_backend_stale_seconds',
  'auth_backend_superuser_filter',
  'auth_backend_superuser_query',
  'auth_backend_superuser_url',
  'auth_backend_timeout',
  'auth_backend_tls',
  'auth_backend_topic_attribute',
  'auth_backend_url',
  'auth_backend_user_base',
  'auth_backend_user_filter',
  'auth_backend_user_query',
  'auth_backend_user_url',
  'auth_backend_username',
  'auth_backend_username_claim',
  'auth_backend_waiting',
  'ban_after',
  'ban_exempt',
  'ban_max_seconds',
  'ca_home',
  'certfile_rsa',
  'connect_timeout',
  'device_policy',
  'durability',
  'durability_interval',
  'enrolment',
  'enrolment_grace_days',
  'flight_recorder',
  'flight_recorder_location',
  'flight_recorder_size',
  'keyfile_rsa',
  'listener_persistence',
  'log_fold_after',
  'log_format',
  'max_connection_rate',
  'max_link_buffer_bytes',
  'max_pending_connections',
  'max_publish_byte_rate',
  'max_publish_rate',
  'max_retained_bytes',
  'max_retained_messages',
  'max_total_queued_bytes',
  'nap_microseconds',
  'otel_cafile',
  'otel_endpoint',
  'otel_headers_file',
  'otel_sample_one_in',
  'otel_service_name',
  'otel_traces_per_second',
  'plugin_faults_max',
  'plugin_timeout',
  'plugin_when_faulty',
  'publish_rate_by',
  'publish_rate_exceeded',
  'queue_memory_bytes',
  'queue_policy',
  'request_certificate',
  'takeover_newcomer',
  'takeover_rounds',
  'tls_groups',
  'tls_handshake_timeout',
];

/** Reads lines and nothing more: no check of the whole, no fate. */
function read(text: string): Reading {
  const reading = new Reading('test.conf', () => undefined);
  for (const line of confLines(Buffer.from(text), new Oddities())) {
    reading.place = { file: 'test.conf', line: line.number };
    readLine(line, reading, new Oddities());
  }
  return reading;
}

/** Lines that put an option where it may stand. */
function around(row: OptionRow): string {
  if (row.name === 'plugin_use') return 'plugin_load passwords mosquitto_password_file.so\nlistener 1883\n';
  if (row.needs === 'backend') return 'auth_backend postgresql\n';
  if (row.needs === 'bridge') return 'connection up\n';
  if (row.needs === 'plugin') return 'plugin mosquitto_password_file.so\n';
  return row.scope === 'listener' ? 'listener 1883\n' : '';
}

const written = (row: OptionRow): string[] => [row.name, ...(row.aliases ?? [])].map(name => name.replace('*', 'password_file')); // prettier-ignore

test('every option of Mosquitto 1.4 to 2.1 is a row, and every other row is marked as ours', () => {
  assert.deepEqual([...optionNames].sort(), [...mosquittoNames, ...ourNames].sort());
  const ours = optionRows.filter(row => row.since === 'ours').map(row => row.name);
  assert.deepEqual(ours.sort(), ourNames);
});

test('no two rows answer to one name', () => {
  assert.equal(new Set(optionNames).size, optionNames.length);
  for (const row of optionRows) for (const name of written(row)) assert.equal(findOption(name), row);
});

for (const { title, rows } of chapters) {
  for (const row of rows) {
    test(`${title}: ${row.name} takes what it should and refuses the rest in Mosquitto's words`, () => {
      for (const name of written(row)) {
        for (const good of row.type.good) read(`${around(row)}${name} ${good}`);
        assert.ok(row.type.good.length > 0);
      }
      const name = written(row)[0] ?? '';
      for (const { text, error } of row.type.bad) {
        const expected = error.replace('<name>', row.calls ?? name);
        assert.throws(
          () => read(`${around(row)}${name} ${text}`),
          (thrown: unknown) => {
            assert.ok(thrown instanceof ConfError, `${name} ${text}`);
            assert.deepEqual(thrown.lines, [expected]);
            return true;
          },
        );
      }
    });
  }
}

test('an option that belongs to a listener, a bridge or a plugin is refused without one', () => {
  const lines: Record<string, string> = {
    listener: "Error: The 'NAME' option requires a listener to be defined first.",
    'explicit listener': "Error: The 'NAME' option requires a listener to be defined first.",
    backend: "Error: The 'NAME' option requires an auth_backend to be defined first.",
    bridge: "Error: The 'NAME' option requires a bridge to be defined first.",
    plugin: "Error: The 'NAME' option requires plugin/global_plugin/plugin_load to be defined first.",
  };
  for (const row of optionRows) {
    const line = lines[row.needs];
    const name = written(row)[0] ?? '';
    if (line === undefined || name === 'auth_plugin_deny_special_chars') continue;
    assert.throws(() => read(`${name} ${row.type.good[0] ?? ''}`), { message: line.replace('NAME', name) });
  }
  assert.throws(() => read('auth_plugin_deny_special_chars true'), {
    message: 'Error: An auth_plugin_deny_special_chars option exists in the config file without a plugin.',
  });
});

test('a second line is an error, a warning or an addition, as the row says', () => {
  for (const row of optionRows.filter(({ repeat }) => repeat !== undefined)) {
    const name = written(row)[0] ?? '';
    const [good = ''] = row.type.good;
    const [first, second] = [`${around(row)}${name} ${good}\n`, `${name} ${good}\n`];
    if (row.repeat === 'error') {
      const message = `Error: Duplicate '${row.calls ?? name}' value in configuration.`;
      assert.throws(() => read(first + second), { message });
    } else if (row.repeat === 'last') {
      const { messages } = read(first + second);
      assert.ok(
        messages.some(({ text }) => text.includes('was set at') && text.includes('this line counts')),
        name,
      );
    }
  }
});

test('an option with a fate other than to work says why', () => {
  for (const { fate, name } of optionRows) {
    if (fate.kind === 'works') continue;
    assert.ok(fate.why.length > 3, name);
  }
});
