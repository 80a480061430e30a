import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { brokerOptions, parseBrokerArguments } from './broker-options.ts';

const asZancudo = { asMosquitto: false, home: null };

function command(args: string[], surroundings = asZancudo as { asMosquitto: boolean; home: string | null }) {
  const outcome = parseBrokerArguments(args, surroundings);
  assert.ok(outcome.kind === 'run', JSON.stringify(outcome));
  return outcome.command;
}

function errorLine(args: string[]): string {
  const outcome = parseBrokerArguments(args, asZancudo);
  assert.ok(outcome.kind === 'error', JSON.stringify(outcome));
  return outcome.error.line;
}

test('without -c and -p the broker runs from its home', () => {
  assert.deepEqual(command([]), {
    mode: 'home',
    configurationFile: null,
    home: null,
    ports: [],
    verbosity: 'configured',
    daemon: false,
    testConfiguration: false,
    tlsKeylogFile: null,
  });
});

test('--home goes before ZANCUDO_HOME, and neither counts with -c', () => {
  const surroundings = { asMosquitto: false, home: '/env' };
  assert.equal(command([], surroundings).home, '/env');
  assert.equal(command(['--home', '/option'], surroundings).home, '/option');
  assert.equal(command(['-c', 'x.conf'], surroundings).home, null);
});

test('-c means Mosquitto with that file, -p alone means its local-only mode', () => {
  assert.deepEqual(
    [command(['-c', 'x.conf']).mode, command(['-c', 'x.conf']).configurationFile],
    ['configuration-file', 'x.conf'],
  );
  assert.deepEqual(
    [command(['-p', '1', '--port', '65535']).mode, command(['-p', '1', '--port', '65535']).ports],
    ['local-only', [1, 65_535]],
  );
  assert.deepEqual(command(['-p', '1885', '-c', 'x.conf']).ports, [1885]);
});

test('called mosquitto, the broker without a file is local-only too', () => {
  assert.equal(command([], { asMosquitto: true, home: '/env' }).mode, 'local-only');
});

test('-q beats -v in any order', () => {
  assert.equal(command(['-v']).verbosity, 'verbose');
  assert.equal(command(['-q', '-v']).verbosity, 'quiet');
  assert.equal(command(['-v', '-q']).verbosity, 'quiet');
});

test('long and short names mean the same', () => {
  const short = command(['-c', 'a', '-d', '-v', '-p', '7', '--test-config', '--tls-keylog', 'k']);
  const long = command([
    '--config-file',
    'a',
    '--daemon',
    '--verbose',
    '--port',
    '7',
    '--test-config',
    '--tls-keylog',
    'k',
  ]);
  assert.deepEqual(short, long);
  assert.ok(short.daemon && short.testConfiguration && short.tlsKeylogFile === 'k');
});

test('arguments are read from left to right: help and version end the matter, as does the first error', () => {
  assert.equal(parseBrokerArguments(['-v', '-h', '--foo'], asZancudo).kind, 'help');
  assert.equal(parseBrokerArguments(['--version', '-p'], asZancudo).kind, 'version');
  assert.equal(parseBrokerArguments(['--foo', '-h'], asZancudo).kind, 'error');
});

test("every mistake gets Mosquitto's line", () => {
  assert.equal(errorLine(['-c']), 'Error: -c argument given, but no config file specified.');
  assert.equal(errorLine(['-p']), 'Error: -p argument given, but no port specified.');
  assert.equal(errorLine(['--tls-keylog']), 'Error: --tls-keylog argument given, but no file specified.');
  assert.equal(errorLine(['-p', '0']), 'Error: Invalid port specified (0).');
  assert.equal(errorLine(['-p', 'mqtt']), 'Error: Invalid port specified (0).');
  assert.equal(errorLine(['-p', '70000']), 'Error: Invalid port specified (70000).');
  assert.equal(errorLine(['-p', '-1']), 'Error: Invalid port specified (-1).');
  assert.equal(errorLine(['--foo']), "Error: Unknown option '--foo'.");
  assert.equal(errorLine(['--test-config']), 'Please provide a configuration file to test.');
  const elevenPorts = Array.from({ length: 11 }, (_, n) => ['-p', String(n + 1)]).flat();
  assert.equal(errorLine(elevenPorts), 'Error: Only 10 ports can be specified on the command line.');
});

test('a second -c and a --home beside -c or -p are refused, not ignored', () => {
  assert.match(errorLine(['-c', 'a', '-c', 'b']), /Only one config file/);
  assert.match(errorLine(['-c', 'a', '--home', 'b']), /--home cannot be combined/);
  assert.match(errorLine(['-p', '1', '--home', 'b']), /--home cannot be combined/);
});

test('a misspelt option is answered with the one that was meant', () => {
  const outcome = parseBrokerArguments(['--deamon'], asZancudo);
  assert.ok(outcome.kind === 'error');
  assert.deepEqual(outcome.error.hint, "Did you mean '--daemon'?");
});

test('any list of words ends in a command or in an answer', () => {
  const words = brokerOptions.flatMap(row => [row.long, row.short ?? '-x']);
  const word = fc.oneof(fc.constantFrom(...words, '1883', 'file'), fc.string());
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), args => {
      const outcome = parseBrokerArguments(args, asZancudo);
      if (outcome.kind === 'error') assert.notEqual(outcome.error.line, '');
    }),
  );
});
