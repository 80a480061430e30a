import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { recordedContext } from '../shared.test.ts';
import { ctrlConnectOptions } from './ctrl-connection.ts';
import { ctrlOptions, newCtrlDraft, parseCtrlArguments, type CtrlDraft } from './ctrl-options.ts';

function parse(args: string[], file: string[] = []) {
  return parseCtrlArguments(args, () => file);
}

function draftOf(args: string[], file: string[] = []): CtrlDraft {
  const parsed = parse(args, file);
  assert.ok(parsed.kind === 'run', JSON.stringify(parsed));
  return parsed.draft;
}

function errorOf(...args: string[]): string {
  const parsed = parse(args);
  assert.ok(parsed.kind === 'error', JSON.stringify(parsed));
  return parsed.line;
}

test('options stand before the module; what follows is left to it', () => {
  const parsed = parse(['-h', 'host', '-p', '1884', 'dynsec', 'createClient', 'u', '-p', 'x']);
  assert.ok(parsed.kind === 'run');
  assert.deepEqual(parsed.words, ['dynsec', 'createClient', 'u', '-p', 'x']);
  assert.deepEqual([parsed.draft.host, parsed.draft.port], ['host', 1884]);
});

test('MQTT 5 and QoS 1 unless said otherwise; long and short names mean the same', () => {
  assert.deepEqual([newCtrlDraft().version, newCtrlDraft().qos], [5, 1]);
  assert.deepEqual(
    draftOf(['-V', '311', '-q', '2', '-u', 'a', '-P', 'b', '-i', 'c', '-h', 'd', '-p', '5', '-d', '-v']),
    {
      ...draftOf(['--protocol-version', 'mqttv311', '--qos', '2', '--username', 'a', '--pw', 'b', '--id', 'c']),
      ...{ host: 'd', port: 5, debug: true, verbose: true },
    },
  );
});

test('the command line has the last word over the options file, of which two words of a line count', () => {
  const file = ['-h filehost', '-u  fileuser  ignored', '', '--quiet'];
  const draft = draftOf(['-h', 'host'], file);
  assert.deepEqual([draft.host, draft.username, draft.quiet], ['host', 'fileuser', true]);
  assert.equal(parse(['-h', 'x'], ['--nonsense']).kind, 'error');
});

test("every mistake gets Mosquitto's line", () => {
  assert.equal(errorOf('--foo'), "Error: Unknown option '--foo'.");
  assert.equal(errorOf('-q', '3'), 'Error: Invalid QoS given: 3');
  assert.equal(errorOf('--port', '70000'), 'Error: Invalid port given: 70000');
  assert.equal(errorOf('-V', '4'), 'Error: Invalid protocol version argument given.');
  assert.equal(errorOf('--host'), 'Error: -h argument given but no host specified.');
  for (const { short, long, argument } of ctrlOptions) {
    if (argument !== undefined)
      assert.match(errorOf(short ?? long ?? ''), /^Error: -\S+ argument given but no .+ specified\.$/);
  }
});

test('--help and --version show the usage', () => {
  assert.deepEqual([parse(['--help']).kind, parse(['-d', '--version']).kind], ['help', 'help']);
});

test('-L gives host, port, user and TLS', () => {
  const { host, port, username, password, topic } = draftOf(['-L', 'mqtt://u:p:q@h:1884/t']);
  assert.deepEqual([host, port, username, password, topic], ['h', 1884, 'u', 'p:q', undefined]);
  const secure = draftOf(['-L', 'MQTTS://h/']);
  assert.deepEqual([secure.port, secure.osCertificates, secure.username], [8883, true, undefined]);
  assert.equal(errorOf('-L', 'ws://h/'), 'Error: Unsupported URL scheme.');
  assert.equal(errorOf('-L', 'mqtt://h'), 'Error: Invalid URL for -L argument specified - topic missing.');
  assert.equal(errorOf('-L', 'mqtt://@h/'), 'Error: Empty username in URL.');
  assert.equal(errorOf('-L', 'mqtt://:pw@h/'), 'Error: Empty username in URL.');
  assert.equal(errorOf('-L', 'mqtt://h:/'), 'Error: Empty port in URL.');
});

test('no option that asks for TLS is left out in silence', () => {
  assert.equal(errorOf('--cert', 'c'), 'Error: Both certfile and keyfile must be provided if one of them is set.');
  assert.equal(errorOf('--psk', 'ab'), 'Error: --psk-identity required if --psk used.');
  assert.equal(errorOf('--cert', 'c', '--key', 'k'), 'Error: --cert without TLS.');
  assert.equal(errorOf('--ciphers', 'x'), 'Error: --ciphers without TLS.');
  assert.equal(draftOf(['--cert', 'c', '--key', 'k', '-p', '8883']).certfile, 'c');
});

test('TLS is on with a CA, a pre-shared key or port 8883, and moves the port', async () => {
  const optionsOf = (...args: string[]) => ctrlConnectOptions(draftOf(args), recordedContext());
  const plain = await optionsOf();
  assert.deepEqual([plain.version, plain.host, plain.port, plain.tls], [5, 'localhost', 1883, undefined]);
  const psk = await optionsOf('--psk', 'abcd', '--psk-identity', 'me');
  assert.deepEqual([psk.port, psk.tls?.psk], [8883, { identity: 'me', key: Buffer.from([0xab, 0xcd]) }]);
  assert.notEqual((await optionsOf('-p', '8883')).tls, undefined);
  assert.equal((await optionsOf('--tls-use-os-certs')).port, 1883);
  await assert.rejects(optionsOf('--cafile', '/nowhere/ca.crt'), /\/nowhere\/ca\.crt cannot be read/);
});

test('any list of words ends in a draft or in an answer', () => {
  const names = ctrlOptions.flatMap(row => [row.short ?? '-x', row.long ?? '--x']);
  const word = fc.oneof(fc.constantFrom(...names, 'dynsec', 'mqtt://u@h:1/', 'socks5h://h'), fc.string());
  fc.assert(
    fc.property(fc.array(word, { maxLength: 10 }), args => {
      const parsed = parse(args);
      if (parsed.kind === 'error') assert.notEqual(parsed.line, '');
    }),
  );
});
