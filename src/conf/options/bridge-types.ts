/** The arguments of bridge options that are more than a word, a number or a text. */
import { emptyValue, integer, parseInteger, readInteger, type ValueType } from './types.ts';
import { refuse } from '../error.ts';
import type { BridgeSettings } from '../settings-bridge.ts';

export const addresses: ValueType<BridgeSettings['addresses']> = {
  argument: 'host[:port] ...',
  good: ['192.0.2.1', 'one.example:8883 192.0.2.2', '2001:db8::1:1883', 'one.example # the first'],
  bad: [
    { text: '', error: 'Error: Empty address value in configuration.' },
    { text: 'one.example:70000', error: 'Error: Invalid bridge port value (70000).' },
    { text: 'one.example:mqtt', error: 'Error: Invalid bridge port value (0).' },
  ],
  read(argument) {
    const words: string[] = [];
    for (let word = argument.word(); word !== null && !word.startsWith('#'); word = argument.word()) words.push(word);
    argument.rest();
    if (words.length === 0) refuse('Error: Empty address value in configuration.', "Write 'address HOST:PORT'.");
    return words.map(endpoint);
  },
};

/** What follows the last colon is the port, so an IPv6 address needs one. */
function endpoint(word: string): { host: string; port: number } {
  const colon = word.lastIndexOf(':');
  if (colon < 0) return { host: word, port: 1883 };
  const port = Number(/^[0-9]+/.exec(word.slice(colon + 1))?.[0] ?? 0);
  if (port < 1 || port > 65_535) {
    refuse(`Error: Invalid bridge port value (${port}).`, `Found '${word}': what follows the last colon is the port.`);
  }
  return { host: word.slice(0, colon), port };
}

export type RestartTimeout = BridgeSettings['restartTimeout'];

/** Like C's atoi: what does not begin with a number is 0. */
const leadingNumber = (word: string): number => Number(parseInteger(/^[+-]?[0-9]+/.exec(word)?.[0] ?? '0') ?? 0n);

export const restartTimeout: ValueType<{ value: RestartTimeout; notes: string[] }> = {
  argument: 'seconds | base cap [stable]',
  good: ['30', '5 60', '5 60 10', '1 9999'],
  bad: [
    { text: '', error: "Error: Empty 'restart_timeout' value in configuration." },
    { text: '20 10', error: 'Error: backoff cap is lower than the base in restart_timeout.' },
    { text: '5 10 -1', error: 'Error: stable connection period cannot be negative.' },
  ],
  read(argument, name) {
    const notes: string[] = [];
    const written = leadingNumber(argument.word() ?? emptyValue(name));
    const baseSeconds = Math.min(Math.max(written, 1), 3600);
    if (written < 1) notes.push('restart_timeout interval too low, using 1 second.');
    if (written > 3600) notes.push('restart_timeout interval too high, using 3600 seconds.');
    const capWord = argument.word();
    if (capWord === null) return { value: { baseSeconds, capSeconds: baseSeconds, stableSeconds: 0 }, notes };
    const cap = leadingNumber(capWord);
    if (cap < baseSeconds)
      refuse('Error: backoff cap is lower than the base in restart_timeout.', 'Write the smaller number first.');
    if (cap > 7200) notes.push('Error: backoff cap too high, using 7200 seconds.');
    const stableSeconds = leadingNumber(argument.word() ?? '0');
    if (stableSeconds < 0) refuse('Error: stable connection period cannot be negative.');
    return { value: { baseSeconds, capSeconds: Math.min(cap, 7200), stableSeconds }, notes };
  },
};

export const keepalive: ValueType<NonNullable<BridgeSettings['tcpKeepalive']>> = {
  argument: 'idle interval count',
  good: ['60 10 3'],
  bad: [
    { text: '', error: "Error: Empty 'bridge_tcp_keepalive_idle' value in configuration." },
    { text: '60 10', error: "Error: Empty 'bridge_tcp_keepalive_counter' value in configuration." },
    { text: '0 10 3', error: 'Error: invalid TCP keepalive idle value.' },
    { text: '60 0 3', error: 'Error: invalid TCP keepalive interval value.' },
    { text: '60 10 0', error: 'Error: invalid TCP keepalive counter value.' },
  ],
  read(argument, name) {
    const [idleSeconds = 0, intervalSeconds = 0, count = 0] = ['idle', 'interval', 'counter'].map(part => {
      const value = readInteger(argument, `${name}_${part}`);
      return value > 0 ? value : refuse(`Error: invalid TCP keepalive ${part} value.`, 'Write three numbers above 0.');
    });
    return { idleSeconds, intervalSeconds, count };
  },
};

export const startType: ValueType<BridgeSettings['startType']> = {
  argument: 'automatic | lazy | once',
  good: ['automatic', 'lazy', 'once'],
  bad: [
    { text: 'manual', error: 'Error: Manual start_type not supported.' },
    { text: 'x', error: "Error: Invalid 'start_type' value in configuration (x)." },
    { text: '', error: "Error: Empty 'start_type' value in configuration." },
  ],
  read(argument, name) {
    const word = argument.word() ?? emptyValue(name);
    if (word === 'automatic' || word === 'lazy' || word === 'once') return word;
    if (word === 'manual') refuse('Error: Manual start_type not supported.', 'Write automatic, lazy or once.');
    refuse(`Error: Invalid 'start_type' value in configuration (${word}).`, 'Write automatic, lazy or once.');
  },
};

const tooManyUnderWay = 'Error: bridge_receive_maximum must be lower than 65535.';

export const receiveMaximum: ValueType<number> = {
  ...integer({ argument: '1-65535' }),
  bad: [
    { text: '0', error: 'Error: bridge_receive_maximum must be greater than 0.' },
    { text: '65536', error: tooManyUnderWay },
  ],
  read(argument, name) {
    const value = readInteger(argument, name);
    if (value <= 0) refuse('Error: bridge_receive_maximum must be greater than 0.', 'Write a number from 1 to 65535.');
    return value <= 65_535 ? value : refuse(tooManyUnderWay, 'Write a number from 1 to 65535.');
  },
};

export const sessionExpiry: ValueType<number> = {
  ...integer({ argument: 'seconds', good: ['0', '3600', '4294967295'] }),
  bad: [
    { text: '-1', error: 'Error: bridge_session_expiry_interval must not be negative.' },
    { text: '4294967296', error: "Error: 'bridge_session_expiry_interval' value out of range." },
  ],
  read(argument, name) {
    const value = readInteger(argument, name, 4_294_967_295n);
    if (value >= 0) return value;
    refuse('Error: bridge_session_expiry_interval must not be negative.', 'Write a number of seconds from 0 up.');
  },
};
