import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { readArguments, type Environment } from './arguments.ts';
import type { Draft, Tool } from './draft.ts';
import { clientOptions, optionsOf } from './options.ts';
import { connectOptions } from './settings.ts';

function draftOf(tool: Tool, args: string[], environment: Environment = {}): Draft {
  const outcome = readArguments(tool, args, environment);
  assert.ok(!('kind' in outcome), JSON.stringify(outcome));
  return outcome;
}

function lineOf(tool: Tool, ...args: string[]): string {
  const outcome = readArguments(tool, args, {});
  assert.ok('kind' in outcome && outcome.kind === 'error', JSON.stringify(outcome));
  return outcome.line;
}

test('short and long names mean the same', () => {
  const short = draftOf('pub', ['-h', 'x', '-p', '7', '-t', 'a', '-m', 'b', '-q', '1', '-r', '-u', 'n', '-P', 's']);
  const long = draftOf('pub', ['--host', 'x', '--port', '7', '--topic', 'a', '--message', 'b', '--qos', '1', '--retain', '--username', 'n', '--pw', 's']); // prettier-ignore
  assert.deepEqual(short, long);
});

test("every mistake gets Mosquitto's line", () => {
  assert.equal(lineOf('sub', '-t', 'a', '--foo'), "Error: Unknown option '--foo'.");
  assert.equal(lineOf('sub', '-l'), "Error: Unknown option '-l'.");
  assert.equal(lineOf('pub', '-h'), 'Error: -h argument given but no host specified.');
  assert.equal(lineOf('pub', '-M'), 'Error: -M argument given but max_inflight not specified.');
  assert.equal(lineOf('pub', '-k', '4'), 'Error: Invalid keepalive given, it must be between 5 and 65535 inclusive.');
  assert.equal(lineOf('pub', '-p', '70000'), 'Error: Invalid port given: 70000');
  assert.equal(lineOf('pub', '-q', '3'), 'Error: Invalid QoS given: 3');
  assert.equal(lineOf('pub', '-V', '4'), 'Error: Invalid protocol version argument given.');
  assert.equal(lineOf('pub', '-m', 'a', '-n'), 'Error: Only one type of message can be sent at once.');
  assert.equal(lineOf('pub', '-t', 'a/#'), "Error: Invalid publish topic 'a/#', does it contain '+' or '#'?");
  assert.equal(lineOf('sub', '-t', 'a#'), "Error: Invalid subscription topic 'a#', are all '+' and '#' wildcards correct?"); // prettier-ignore
  assert.equal(lineOf('sub'), 'Error: You must specify a topic to subscribe to (-t) or unsubscribe from (-U).');
  assert.equal(lineOf('sub', '-t', 'a', '-W', '0'), 'Error: Invalid timeout "0".');
  assert.equal(lineOf('sub', '-t', 'a', '-C', 'x'), 'Error: Invalid message count "0".');
  assert.equal(lineOf('pub', '--cert', 'x'), 'Error: Both certfile and keyfile must be provided if one of them is set.'); // prettier-ignore
  assert.equal(lineOf('pub', '--will-payload', 'x'), 'Error: Will payload given, but no will topic given.');
  assert.equal(lineOf('pub', '-c'), 'Error: You must provide a client id if you are using the -c option.');
  assert.equal(lineOf('pub', '-i', 'a', '-I', 'b'), 'Error: -i and -I argument cannot be used together.');
  assert.equal(lineOf('pub', '-x', 'soon'), 'Error: session-expiry-interval not a number.');
  assert.equal(lineOf('pub', '-L', 'http://x/y'), 'Error: Unsupported URL scheme.');
  assert.equal(lineOf('pub', '-L', 'mqtt://x'), 'Error: Invalid URL for -L argument specified - topic missing.');
  assert.equal(lineOf('pub', '-D', 'publish', 'x'), 'Error: --property argument given but not enough arguments specified.'); // prettier-ignore
  assert.equal(lineOf('pub', '-D', 'ping', 'content-type', 'x'), 'Error: Invalid command ping given in --property argument.'); // prettier-ignore
  assert.equal(lineOf('pub', '-D', 'connect', 'content-type', 'x'), 'Error: content-type property not allowed for connect in --property argument.'); // prettier-ignore
});

test('every option that takes an argument has a line for its absence', () => {
  for (const option of clientOptions) {
    if (option.argument === undefined) continue;
    const [tool] = option.tools;
    assert.match(lineOf(tool!, (option.short ?? option.long)!), /^Error: -\S+ argument given but /);
  }
});

test('a misspelt option is answered with the one that was meant', () => {
  const outcome = readArguments('sub', ['--usrname', 'x'], {});
  assert.ok('kind' in outcome && outcome.kind === 'error');
  assert.equal(outcome.hint, "Did you mean '--username'?");
});

test('a URL says user, password, host, port and topic, and nothing in it is decoded', async () => {
  const draft = draftOf('pub', ['-L', 'MQTT://me:se%40cret@broker:1999/house/lamp', '-m', 'x']);
  assert.deepEqual(
    [draft.username, draft.password, draft.host, draft.port, draft.topic],
    ['me', 'se%40cret', 'broker', 1999, 'house/lamp'],
  );
  const options = await connectOptions(draftOf('pub', ['-L', 'wss://b/t', '-m', 'x']));
  assert.ok(options.tls !== undefined && options.websocket !== undefined);
  assert.equal(options.port, 8883);
});

test('a proxy URL may have user, password and an IPv6 address', () => {
  const proxy = (url: string) => draftOf('pub', ['--proxy', url, '-t', 'a', '-n']).proxy;
  assert.deepEqual(proxy('socks5h://host'), { host: 'host', port: 1080 });
  assert.deepEqual(proxy('socks5h://u%3a:p%40%25@[::1]:99'), {
    host: '::1',
    port: 99,
    username: 'u:',
    password: 'p@%',
  });
  assert.equal(lineOf('pub', '--proxy', 'http://x'), 'Error: Unsupported proxy protocol: http://x');
});

test('the port is 8883 with a CA or a key, and 8883 said outright means TLS', async () => {
  const options = async (...args: string[]) => connectOptions(draftOf('pub', ['-t', 'a', '-n', ...args]));
  assert.equal((await options()).port, 1883);
  assert.equal((await options('--psk', 'aabb', '--psk-identity', 'x')).port, 8883);
  assert.equal((await options('--tls-use-os-certs')).port, 1883);
  assert.ok((await options('-p', '8883')).tls !== undefined);
  assert.equal((await options('-p', '8883', '--no-tls')).tls, undefined);
});

test('MQTT 5 sessions last for ever with -c, and as long as -x says', async () => {
  const properties = async (...args: string[]) =>
    (await connectOptions(draftOf('pub', ['-t', 'a', '-n', '-V', '5', ...args]))).properties;
  assert.deepEqual(await properties(), { receiveMaximum: 20 });
  assert.deepEqual(await properties('-c', '-i', 'x'), { sessionExpiryInterval: 0xffff_ffff, receiveMaximum: 20 });
  assert.deepEqual(await properties('-x', '60'), { sessionExpiryInterval: 60, receiveMaximum: 20 });
});

test('the options file comes before the command line, and the value of an option is the rest of its line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'zancudo-options-'));
  try {
    writeFileSync(join(folder, 'mosquitto_sub'), '# comment\n\n-h from file\n--topic a b\n-v\n');
    const draft = draftOf('sub', ['-t', 'c'], { XDG_CONFIG_HOME: folder });
    assert.deepEqual([draft.host, draft.filters, draft.verbose], ['from file', ['a b', 'c'], true]);
    assert.equal(draftOf('sub', ['-h', 'x', '-t', 'c'], { XDG_CONFIG_HOME: folder }).host, 'x');
    assert.equal(draftOf('sub', ['-o', '/nowhere', '-t', 'c'], { XDG_CONFIG_HOME: folder }).host, undefined);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('any list of words ends in a draft or in an answer', () => {
  for (const tool of ['pub', 'sub', 'rr'] as const) {
    const words = optionsOf(tool).flatMap(row => [row.short, row.long].filter(name => name !== undefined));
    const word = fc.oneof(fc.constantFrom(...words, '1', 'a/b', 'publish', 'content-type'), fc.string());
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), args => {
        const outcome = readArguments(tool, args.filter(each => each !== '-o'), {}); // prettier-ignore
        if ('kind' in outcome && outcome.kind === 'error') assert.match(outcome.line, /^Error: /);
      }),
    );
  }
});
