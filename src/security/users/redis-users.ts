/** Users in Redis, in the keys of mosquitto-go-auth (database/redis.ts); written in one MULTI, all or none. */
import type { Redis } from 'ioredis';
import type { Connection } from '../database/connection.ts';
import { optionsOf, ruleSets } from '../database/redis.ts';
import { emptySet, plainUser, type Rule, type User, type UserSet } from './user-set.ts';

const SCANNED_AT_ONCE = 1000;

export class RedisUsers {
  private readonly redis: Redis;
  private readonly prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.redis = redis;
    this.prefix = prefix;
  }

  async read(): Promise<UserSet> {
    const set = emptySet();
    for (const key of await this.keys()) {
      const name = key.slice(this.prefix.length);
      if (name === '' || isPartOfUser(name) || (await this.redis.type(key)) !== 'string') continue;
      const hash = await this.redis.get(key);
      if (hash === null || !isHash(hash)) set.remarks.push(`the key ${key} holds no password and was passed over`);
      else set.users.set(name, await this.user(name, hash));
    }
    set.everybody = await this.rules('common');
    return set;
  }

  /** All of them, or none. */
  async write(users: readonly User[]): Promise<void> {
    const all = this.redis.multi();
    for (const { name, hash, superuser, rules } of users) {
      const key = this.prefix + name;
      all.set(key, hash ?? '');
      if (superuser) all.set(`${key}:su`, 'true');
      else all.del(`${key}:su`);
      for (const { ending, bits } of ruleSets) {
        const topics = rules.filter(rule => rule.bits === bits).map(({ topic }) => topic);
        all.del(`${key}:${ending}`);
        if (topics.length > 0) all.sadd(`${key}:${ending}`, ...topics);
      }
    }
    const results = await all.exec();
    const failed = results?.find(([error]) => error !== null)?.[0];
    if (failed !== null && failed !== undefined) throw failed;
  }

  close(): Promise<void> {
    return Promise.resolve(this.redis.disconnect());
  }

  private async keys(): Promise<string[]> {
    const keys: string[] = [];
    const match = `${this.prefix.replace(/[\\*?[\]]/g, '\\$&')}*`;
    let cursor = '0';
    do {
      const [next, found] = await this.redis.scan(cursor, 'MATCH', match, 'COUNT', SCANNED_AT_ONCE);
      keys.push(...found);
      cursor = next;
    } while (cursor !== '0');
    return [...new Set(keys)].sort();
  }

  private async user(name: string, hash: string): Promise<User> {
    const superuser = (await this.redis.get(`${this.prefix}${name}:su`)) === 'true';
    return { ...plainUser(name, hash, await this.rules(name)), superuser };
  }

  private async rules(name: string): Promise<Rule[]> {
    const topics = await Promise.all(ruleSets.map(({ ending }) => this.redis.smembers(`${this.prefix}${name}:${ending}`)));
    return topics.flatMap((members, i) => members.sort().map(topic => ({ topic, bits: ruleSets[i]!.bits })));
  } // prettier-ignore
}

const isPartOfUser = (name: string): boolean => /:(?:su|racls|wacls|rwacls|sacls)$/.test(name);

const isHash = (text: string): boolean => /^(?:\$|PBKDF2\$)/.test(text);

/** Why a name cannot be a key of its own. */
export function redisNameProblem(name: string): string | null {
  if (isPartOfUser(name)) return 'its name is what the keys of rules are called there';
  return name === 'common' ? "its rules would be everybody's there" : null;
}

export async function openRedis(connection: Connection): Promise<RedisUsers> {
  const { Redis } = await import('ioredis');
  const redis = new Redis({ ...optionsOf(connection), lazyConnect: true, retryStrategy: () => null, commandTimeout: 60_000 });
  let because: Error | null = null;
  redis.on('error', (error: Error) => (because = error));
  await redis.connect().catch((error: unknown) => {
    throw because ?? error;
  });
  return new RedisUsers(redis, connection.settings.keyPrefix ?? '');
} // prettier-ignore
