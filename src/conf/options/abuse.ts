/** Chapter: who comes too often, guesses passwords, sends too much, or throws others out. */
import { BlockList, isIP } from 'node:net';
import { refuse } from '../error.ts';
import { globalOption, specialOption, type OptionRow } from './row.ts';
import { choice, integer, readText, text, type ValueType } from './types.ts';

/** Zero for off, up to what a counter of one second can tell apart. */
const perSecond = (argument: string): ValueType<number> =>
  integer({ argument: `${argument} a second, 0 for any`, min: 0, outside: '-1' });

const noRange = "Error: Invalid 'ban_exempt' value (<value>).";

const range: ValueType<string> = {
  ...text('address, range, private, none', '192.0.2.7', '2001:db8::/32', 'private', 'none'),
  bad: [
    { text: '', error: "Error: Empty '<name>' value in configuration." },
    { text: '192.0.2.0/33', error: noRange.replace('<value>', '192.0.2.0/33') },
    { text: 'localhost', error: noRange.replace('<value>', 'localhost') },
  ],
  read(argument, name) {
    const written = readText(argument, name);
    if (written === 'private' || written === 'none' || isRange(written)) return written;
    refuse(noRange.replace('<value>', written), 'Write an address (192.0.2.7), a range (2001:db8::/32), private or none.');
  },
}; // prettier-ignore

function isRange(written: string): boolean {
  const [network = '', bits, ...more] = written.split('/');
  if (isIP(network) === 0 || more.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return false;
  try {
    new BlockList().addSubnet(network, Number(bits ?? 0), isIP(network) === 6 ? 'ipv6' : 'ipv4');
    return true;
  } catch {
    return false;
  }
}

export const abuse: readonly OptionRow[] = [
  globalOption({
    name: 'ban_after',
    type: integer({ argument: 'failed logins, 0 for never', min: 0, max: 10_000, outside: '10001' }),
    field: 'banAfter',
    says: 'Failed logins from one address after which its connections are closed as they arrive: for 10 s, and twice as long after each further failure. An address from which somebody is logged in is not banned, and a login that succeeds forgives: behind one NAT a device with a wrong password costs the others nothing. IPv6 counts by /64; behind PROXY protocol the address in the header counts. zancudo bans lists and lifts.',
    since: 'ours',
    reload: 'live',
  }),
  globalOption({
    name: 'ban_max_seconds',
    type: integer({ argument: 'seconds, 10-604800', min: 10, max: 604_800, outside: '9' }),
    field: 'banMaxSeconds',
    says: 'Longest ban for failed logins.',
    since: 'ours',
    reload: 'live',
  }),
  specialOption<string, 'global'>({
    name: 'ban_exempt',
    type: range,
    says: 'Address or range that is never banned for failed logins and may open any number of connections a second; each line adds one. private stands for 10/8, 172.16/12, 192.168/16, 169.254/16, fc00::/7 and fe80::/10: there one address may be a whole Docker network or a proxy, and who guesses passwords there is slowed all the same. none exempts nothing but loopback, which always is.',
    standard: 'private',
    since: 'ours',
    reload: 'live',
    repeat: 'add',
    scope: 'global',
    needs: 'nothing',
    fields: ['banExempt'],
    put: (settings, value) => {
      const before = settings.places['ban_exempt'] === undefined ? [] : settings.banExempt;
      settings.banExempt = value === 'none' ? [] : [...before, value];
    },
  }),
  globalOption({
    name: 'max_connection_rate',
    type: perSecond('connections'),
    field: 'maxConnectionRate',
    says: 'Connections that one address may open; more are closed before TLS. Ten seconds of it may come at once, so that a thousand devices behind one NAT come back from a power cut together. Loopback and ban_exempt are not counted.',
    since: 'ours',
    reload: 'live',
  }),
  globalOption({
    name: 'max_publish_rate',
    type: perSecond('messages'),
    field: 'maxPublishRate',
    says: 'Messages that one client may publish; a second of it may come at once. Not by default, because only you know what your devices send.',
    since: 'ours',
    reload: 'live',
  }),
  globalOption({
    name: 'max_publish_byte_rate',
    type: perSecond('payload bytes'),
    field: 'maxPublishByteRate',
    says: 'Payload that one client may publish; a second of it may come at once, and one message may always be larger.',
    since: 'ours',
    reload: 'live',
  }),
  globalOption({
    name: 'publish_rate_exceeded',
    type: choice(['slow', 'refuse'] as const),
    field: 'publishRateExceeded',
    says: 'What becomes of messages beyond these rates. slow: the client is not read until it is within them again, and nothing is lost. refuse: QoS 0 is dropped and counted, QoS 1 and 2 are answered with 0x97 (quota exceeded); MQTT 3 has no such answer, so those clients are slowed for QoS 1 and 2.',
    since: 'ours',
    reload: 'live',
  }),
  globalOption({
    name: 'publish_rate_by',
    type: choice(['client', 'user', 'address'] as const),
    field: 'publishRateBy',
    says: 'Whose messages count together for these rates: those of one connection, or of all connections with one user name, or from one address (of IPv6 a /64). Who comes without a user name is counted alone by user. A change holds for connections that come after it.',
    since: 'ours',
    reload: 'live',
  }),
  globalOption({
    name: 'takeover_rounds',
    type: integer({ argument: 'take-overs a minute, 0 for any', min: 0, max: 1000, outside: '1001' }),
    field: 'takeoverRounds',
    says: 'Two clients with one client identifier throw each other out, again and again. After so many take-overs between different addresses within a minute both are named in the log, with the remedy. A device that comes back from where it was is not counted.',
    since: 'ours',
    reload: 'live',
  }),
  globalOption({
    name: 'takeover_newcomer',
    type: choice(['admit', 'hold'] as const),
    field: 'takeoverNewcomer',
    says: 'What becomes of the newcomer after takeover_rounds. admit: it throws the other one out, as MQTT demands. hold: it is refused with 0x97 (MQTT 3: server unavailable) for 15 s, then 30 s and so on up to 10 min, and the one that is connected stays.',
    since: 'ours',
    reload: 'live',
  }),
];
