/**
 * The doorkeeper: who comes too often, or with the wrong password, has to wait outside.
 *
 *   socket ── banned? too many a second? ── closed before a byte is read (behind PROXY, when the header has named it)
 *
 *   failed login ── of one user, from wherever      the answer comes later and later, up to 5 s; a right one never does
 *                │                              (an address where a right one came from counts alone)
 *                └─ from one address, nobody of      after `ban_after` of them the address is banned, each time for
 *                   which is logged in               twice as long
 *
 * Many devices share one address, behind NAT. As long as one of them is logged in the address is not banned, and the
 * device with the wrong password costs the others nothing; a login that succeeds forgives the ones before it.
 * Addresses that may be a whole network (loopback, `ban_exempt`) are never banned, their answers come late all the same.
 */
import { AttemptLimit, plainAddress, sourceOf } from '../base/mod.ts';
import { BlockList, isIP } from 'node:net';
import type { Doorkeeper, Log, Meter, Peer, Recorder } from '../broker/ports.ts';
import { ArrivalRate } from './arrival-rate.ts';
import { type Ban, Bans } from './bans.ts';

export interface DoorLimits {
  /** Failed logins from one address that are free; 0 bans nobody. */
  banAfter: number;
  banSecondsMax: number;
  /** Addresses and ranges, and the word `private`. Replaced as a whole. */
  banExempt: readonly string[];
  /** Of one address; 0 for no limit. */
  connectionsPerSecond: number;
}

export interface DoorkeeperOptions {
  /** May be changed in place at any time. */
  limits: DoorLimits;
  log: Log;
  /** Absent where nothing need be remembered. */
  recorder?: Recorder;
  meter: Meter;
  /** Unix milliseconds. */
  wall: () => number;
}

const FIRST_BAN_MS = 10_000;
/** How long after its last failure an address has to be quiet, on top of its longest ban. */
const FORGET_MS = 600_000;
/** Wrong passwords of one user that are answered at once; the wait then grows from half a second. */
const userRules = { freeFailures: 3, firstWaitMs: 500, waitMsMax: 5000, forgetMs: FORGET_MS };
const FULL_COMPLAINT_MS = 60_000;
/** About 1 MB. */
const HOMES_MAX = 10_000;

const homeOf = (username: string, source: string): string => `${username}\0${source}`;

const PRIVATE_RANGES = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
] as const;
const LOOPBACK_RANGES = ['127.0.0.0/8', '::1/128'] as const;

export class AddressDoorkeeper implements Doorkeeper {
  readonly #options: DoorkeeperOptions;
  readonly #bans = new Bans();
  readonly #rate = new ArrivalRate();
  readonly #byUser = new AttemptLimit(userRules);
  /** The same of a user at an address from which it has logged in. */
  readonly #byHome = new AttemptLimit(userRules);
  /** User and address; who logged in last stands last. */
  readonly #homes = new Set<string>();
  readonly #byAddress = new AttemptLimit({
    freeFailures: 0,
    firstWaitMs: FIRST_BAN_MS,
    waitMsMax: 0,
    forgetMs: 0,
  });
  /** Clients past their CONNACK, by source. */
  readonly #loggedIn = new Map<string, number>();
  #exempt: { of: readonly string[]; list: BlockList } | null = null;
  #fullSaidAt = -Infinity;
  /** A ban was imposed or lifted; null for nobody to tell. */
  onChange: (() => void) | null = null;

  constructor(options: DoorkeeperOptions) {
    this.#options = options;
  }

  /** Null lets it in; otherwise why not, said in the log here where it is news. */
  turnsAway({ address, listener }: Peer): 'banned' | 'rate' | null {
    if (listener.unixPath !== null && address === listener.unixPath) return null;
    const { limits, wall, meter } = this.#options;
    const now = wall();
    const ban = this.#bans.on(address, now);
    if (ban !== null) {
      ban.turnedAway++;
      meter.connectionsRefusedByBan++;
      return 'banned';
    }
    if (limits.connectionsPerSecond === 0 || this.#isExempt(address)) return null;
    const answer = this.#rate.arrive(address, limits.connectionsPerSecond, now);
    if (answer === 'enter') return null;
    if (answer === 'too many') this.#sayTooMany(address);
    meter.connectionsRefusedByLimit++;
    return 'rate';
  }

  entered({ address }: Peer, username: string | null = null): void {
    const source = sourceOf(address);
    if (username !== null) this.#rememberHome(homeOf(username, source));
    this.#loggedIn.set(source, (this.#loggedIn.get(source) ?? 0) + 1);
    this.#byAddress.succeeded(source);
  }

  left({ address }: Peer): void {
    const source = sourceOf(address);
    const count = (this.#loggedIn.get(source) ?? 0) - 1;
    if (count > 0) this.#loggedIn.set(source, count);
    else this.#loggedIn.delete(source);
  }

  refused(peer: Peer, username: string | null): number {
    const now = this.#options.wall();
    this.#countFailure(peer, username, now);
    if (username === null) return 0;
    const home = homeOf(username, sourceOf(peer.address));
    // Whoever guesses from elsewhere neither delays it at home nor is let off by its logins there.
    const [limit, key] = this.#homes.has(home) ? [this.#byHome, home] : [this.#byUser, username];
    limit.failed(key, now);
    return limit.waitMs(key, now);
  }

  #rememberHome(home: string): void {
    this.#byHome.succeeded(home);
    this.#homes.delete(home);
    this.#homes.add(home);
    const [oldest] = this.#homes;
    if (this.#homes.size > HOMES_MAX && oldest !== undefined) this.#homes.delete(oldest);
  }

  /** Those of before that are not over. */
  restore(bans: readonly Ban[]): void {
    const now = this.#options.wall();
    for (const ban of bans) if (ban.until > now) this.#bans.impose({ ...ban }, now);
  }

  /** Bans in force. */
  list(): Ban[] {
    return this.#bans.list(this.#options.wall());
  }

  /** False when the table is full of them. */
  add(address: string, seconds: number, because: string): boolean {
    const now = this.#options.wall();
    const ban = { source: sourceOf(address), by: 'operator', since: now, because, turnedAway: 0 } as const;
    return this.#impose({ ...ban, until: now + seconds * 1000 }, now);
  }

  /** Takes an address, or a source as the list names it. False when it is not banned. */
  lift(text: string): boolean {
    const source = sourceOf(text.replace(/\/64$/, ''));
    this.#byAddress.succeeded(source);
    const isLifted = this.#bans.lift(source, this.#options.wall());
    if (isLifted) this.onChange?.();
    return isLifted;
  }

  #countFailure({ address, listener }: Peer, username: string | null, now: number): void {
    const { banAfter, banSecondsMax } = this.#options.limits;
    const source = sourceOf(address);
    if (banAfter === 0 || isIP(plainAddress(address)) === 0) return;
    if (this.#loggedIn.has(source) || this.#isExempt(address)) return;
    const waitMsMax = banSecondsMax * 1000;
    Object.assign(this.#byAddress.rules, { freeFailures: banAfter - 1, waitMsMax, forgetMs: waitMsMax + FORGET_MS });
    const count = this.#byAddress.failed(source, now);
    const wait = this.#byAddress.waitMs(source, now);
    if (wait === 0) return;
    const user = username === null ? 'without a user name' : `as user '${username}'`;
    const because = `${count} failed logins, the last one ${user} on ${listener.name}`;
    const ban: Ban = { source, by: 'failed logins', since: now, until: now + wait, because, turnedAway: 0 };
    if (this.#impose(ban, now)) this.#sayBanned(ban);
  }

  #impose(ban: Ban, now: number): boolean {
    const imposed = this.#bans.impose(ban, now);
    if (imposed === null || imposed.lost !== null) this.#sayFull(now);
    if (imposed === null) return false;
    this.onChange?.();
    this.#options.meter.bansImposed++;
    return true;
  }

  #sayBanned({ source, since, until, because }: Ban): void {
    const seconds = Math.round((until - since) / 1000);
    const { log, recorder } = this.#options;
    recorder?.note('address.banned', { address: source, seconds, because });
    log.write('notice', `Connections from ${source} are closed for ${seconds} s: ${because}.`, { code: 'connection.banned', address: source });
    log.write('notice', `  'zancudo bans lift ${source}' lets it in again at once; ban_exempt in the configuration exempts it.`, { code: 'connection.banned', address: source });
  } // prettier-ignore

  #sayTooMany(address: string): void {
    const { log, limits } = this.#options;
    log.write('notice', `Client connection from ${address} denied: max_connection_rate exceeded.`, { code: 'connection.rate', address });
    log.write('notice', `  ${sourceOf(address)} opens more than ${limits.connectionsPerSecond} connections a second; its further ones are closed without a line for a minute.`, { code: 'connection.rate', address });
  } // prettier-ignore

  #sayFull(now: number): void {
    if (now - this.#fullSaidAt < FULL_COMPLAINT_MS) return;
    this.#fullSaidAt = now;
    const text = 'Warning: The list of bans is full: the oldest one that no operator has asked for ends early for each new one. So many sources at once are better kept out by a firewall.';
    this.#options.log.write('warning', text, 'connection.bans-full');
  } // prettier-ignore

  #isExempt(address: string): boolean {
    const plain = plainAddress(address);
    const family = isIP(plain);
    // A list takes a microsecond to look up a text in, most of it to make an address of it.
    if (family === 0 || (family === 4 && plain.startsWith('127.'))) return true;
    const { banExempt } = this.#options.limits;
    if (this.#exempt?.of !== banExempt) this.#exempt = { of: banExempt, list: blockListOf(banExempt) };
    return this.#exempt.list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  }
}

function blockListOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  const all = ranges.flatMap(range => (range === 'private' ? PRIVATE_RANGES : [range]));
  for (const range of [...LOOPBACK_RANGES, ...all]) {
    const [network = '', bits] = range.split('/');
    const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(network, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return list;
}
