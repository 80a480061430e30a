/**
 * Users and rules in Redis by the package `ioredis`, in the keys that mosquitto-go-auth has:
 *
 *   <user>          the hash                       <user>:su     "true" for a superuser
 *   <user>:racls    set of filters to read         :wacls to write, :rwacls both, :sacls to subscribe
 *   common:racls .. the same for everybody, %u and %c filled in
 */
import { isIP } from 'node:net';
import type { Redis, RedisOptions } from 'ioredis';
import { READ, WRITE } from '../acl-rules.ts';
import { type Connection, tlsOf } from './connection.ts';
import { Answered, type Gate } from './gate.ts';
import type { Hashes } from './hashes.ts';
import { type RightsRows, SUBSCRIBE } from './rights.ts';
import type { LoginResult, Source, Subject } from './source.ts';

export const ruleSets = [
  { ending: 'racls', bits: READ },
  { ending: 'wacls', bits: WRITE },
  { ending: 'rwacls', bits: READ | WRITE },
  { ending: 'sacls', bits: SUBSCRIBE },
] as const;

/** Redis says that it cannot serve; all its other errors are opinions on the question. */
const OUT_OF_ORDER =
  /^(?:LOADING|NOAUTH|WRONGPASS|MASTERDOWN|BUSY|CLUSTERDOWN|READONLY|OOM|NOPERM|ERR max number of clients)/;

export async function openRedis(connection: Connection, gate: Gate, hashes: Hashes): Promise<RedisSource> {
  const { Redis } = await import('ioredis');
  const redis = new Redis(optionsOf(connection));
  // It connects again by itself; the gate tells of the trouble.
  let trouble: Error | null = null;
  redis.on('error', (error: Error) => (trouble = error));
  redis.on('ready', () => (trouble = null));
  return new RedisSource(redis, connection.settings.keyPrefix ?? '', gate, hashes, () => trouble);
}

export function optionsOf(connection: Connection) {
  const { settings, password, timeoutMs } = connection;
  const { host, port, socket, database, username } = settings;
  const tls = tlsOf(connection);
  return {
    ...(socket === null ? { host: host ?? 'localhost', port: port ?? 6379 } : { path: socket }),
    ...(database === null ? {} : { db: Number(database) }),
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls === null ? {} : { tls: { ...tls, ...(host === null || isIP(host) !== 0 ? {} : { servername: host }) } }),
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt: number) => Math.min(attempt * 200, 2000),
  } satisfies RedisOptions;
}

export class RedisSource implements Source {
  readonly usesClientId = false;
  readonly usesAddress = false;
  readonly rules = 'asked';
  private readonly redis: Redis;
  private readonly prefix: string;
  private readonly gate: Gate;
  private readonly hashes: Hashes;
  /** Why there is no connection, which the driver does not say of a call. */
  private readonly trouble: () => Error | null;

  constructor(redis: Redis, prefix: string, gate: Gate, hashes: Hashes, trouble: () => Error | null) {
    this.trouble = trouble;
    this.redis = redis;
    this.prefix = prefix;
    this.gate = gate;
    this.hashes = hashes;
  }

  async login({ username }: Subject, password: Buffer): Promise<LoginResult> {
    const encoded = await this.ask(() => this.redis.get(this.prefix + username));
    if (encoded === null || encoded === '') {
      await this.hashes.wasteTime(password);
      return { answer: 'unknown' };
    }
    return { answer: (await this.hashes.fits(encoded, password)) ? 'allow' : 'wrong' };
  }

  async rights({ username }: Subject): Promise<RightsRows> {
    const key = this.prefix + username;
    const names = [key, `${this.prefix}common`];
    return this.ask(async () => {
      const [above, ...filters] = await Promise.all([
        this.redis.get(`${key}:su`),
        ...names.flatMap(name => ruleSets.map(({ ending }) => this.redis.smembers(`${name}:${ending}`))),
      ]);
      const rules = filters.flatMap((members, i) => {
        return members.map(filter => ({ filter, bits: ruleSets[i % ruleSets.length]!.bits }));
      });
      return { superuser: above === 'true', rules };
    });
  }

  async ping(): Promise<void> {
    await this.redis.ping().catch((error: unknown) => {
      throw this.trouble() ?? error;
    });
  }

  close(): Promise<void> {
    return Promise.resolve(this.redis.disconnect());
  }

  private ask<T>(question: () => Promise<T>): Promise<T> {
    return this.gate.run(async () => {
      try {
        return await question();
      } catch (error) {
        const { name, message } = error as Error;
        if (name === 'ReplyError' && !OUT_OF_ORDER.test(message)) throw new Answered(message);
        throw name === 'MaxRetriesPerRequestError' ? (this.trouble() ?? error) : error;
      }
    });
  }
}
