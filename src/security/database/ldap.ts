/**
 * Users in a directory, by the package `ldapts`: search for the entry, then log in as it.
 *
 *   login    bind as the broker ── search user_filter under user_base ── bind with the DN found and the client's password
 *   rights   search group_filter under group_base ── topic_attribute, access_attribute of each group
 *
 * Directories compare names without regard to case; name_attribute of the entry has to be the name as the client sent it.
 */
import { isIP } from 'node:net';
import type * as LdaptsModule from 'ldapts';
import type { Client, Entry } from 'ldapts';
import { type Connection, tlsOf } from './connection.ts';
import { Answered, type Gate } from './gate.ts';
import { accessBits, type RightsRows, type RuleRow } from './rights.ts';
import type { UserBackendSettings } from './settings.ts';
import type { LoginResult, Source, Subject } from './source.ts';

type Ldapts = typeof LdaptsModule;

/** Result codes of RFC 4511, 4.1.9, in which a server says that it cannot serve: busy, unavailable, unwilling, other. */
const OUT_OF_ORDER = new Set([51, 52, 53, 80]);
const INVALID_CREDENTIALS = 49;

export class LdapSource implements Source {
  readonly usesClientId = false;
  readonly usesAddress = false;
  readonly rules: 'asked' | 'none';
  private readonly connection: Connection;
  private readonly settings: UserBackendSettings;
  private readonly gate: Gate;
  private readonly ldapts: Ldapts;

  constructor(connection: Connection, gate: Gate, ldapts: Ldapts) {
    this.connection = connection;
    this.settings = connection.settings;
    this.gate = gate;
    this.ldapts = ldapts;
    this.rules = this.settings.groupBase === null && this.settings.superuserFilter === null ? 'none' : 'asked';
  }

  login({ username }: Subject, password: Buffer): Promise<LoginResult> {
    // RFC 4513, 5.1.2: a bind without a password proves nothing and succeeds.
    if (password.length === 0) return Promise.resolve({ answer: 'wrong' });
    return this.talk(async client => {
      const entry = await this.find(client, this.settings.userFilter ?? '', username);
      if (entry === null) return { answer: 'unknown' };
      return { answer: (await isBound(client, entry.dn, password.toString())) ? 'allow' : 'wrong' };
    });
  }

  rights({ username }: Subject): Promise<RightsRows> {
    const { userFilter, superuserFilter, groupBase } = this.settings;
    return this.talk(async client => {
      const entry = await this.find(client, userFilter ?? '', username);
      if (entry === null) return { superuser: false, rules: [] };
      const above = superuserFilter === null ? null : await this.find(client, superuserFilter, username);
      const rules = groupBase === null ? [] : await this.rulesOf(client, groupBase, entry.dn, username);
      return { superuser: above !== null, rules };
    });
  }

  async ping(): Promise<void> {
    const client = await this.bound();
    await client.unbind();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private async find(client: Client, filter: string, username: string): Promise<Entry | null> {
    const { userBase, nameAttribute } = this.settings;
    const { searchEntries } = await client.search(userBase ?? '', {
      scope: 'sub',
      filter: filled(filter, { username }),
      attributes: [nameAttribute],
      sizeLimit: 2,
    });
    const [entry, second] = searchEntries;
    if (entry === undefined || second !== undefined) return null;
    return textsOf(entry[nameAttribute]).includes(username) ? entry : null;
  }

  private async rulesOf(client: Client, base: string, dn: string, username: string): Promise<RuleRow[]> {
    const { groupFilter, topicAttribute, accessAttribute } = this.settings;
    const { searchEntries } = await client.search(base, {
      scope: 'sub',
      filter: filled(groupFilter, { username, dn }),
      attributes: [topicAttribute, accessAttribute],
    });
    return searchEntries.flatMap(entry => {
      const bits = textsOf(entry[accessAttribute]).reduce((all, each) => all | (accessBits(each) ?? 0), 0);
      return textsOf(entry[topicAttribute]).map(filter => ({ filter, bits }));
    });
  }

  private talk<T>(work: (client: Client) => Promise<T>): Promise<T> {
    return this.gate.run(async () => {
      const client = await this.bound();
      try {
        return await work(client);
      } catch (error) {
        const { code } = error as { code?: unknown };
        throw typeof code === 'number' && !OUT_OF_ORDER.has(code) ? new Answered((error as Error).message) : error;
      } finally {
        await client.unbind().catch(() => undefined);
      }
    });
  }

  private async bound(): Promise<Client> {
    const { settings, password, timeoutMs } = this.connection;
    const url = settings.url ?? 'ldap://localhost';
    const isSecure = url.startsWith('ldaps:');
    const tls = tlsOf({ ...this.connection, settings: { ...settings, tls: settings.tls || isSecure } });
    const client = new this.ldapts.Client({
      url,
      timeout: timeoutMs,
      connectTimeout: timeoutMs,
      ...(isSecure && tls !== null ? { tlsOptions: tls } : {}),
    });
    if (tls !== null && !isSecure) await client.startTLS({ ...tls, ...named(new URL(url).hostname) });
    if (settings.username !== null) await client.bind(settings.username, password ?? '');
    return client;
  }
}

/** The name that the certificate has to be for; an address is no name to ask for (RFC 6066, 3). */
function named(host: string): { host: string } | { servername: string } {
  const bare = host.replace(/^\[|\]$/g, '');
  return isIP(bare) === 0 ? { servername: bare } : { host: bare };
}

async function isBound(client: Client, dn: string, password: string): Promise<boolean> {
  try {
    await client.bind(dn, password);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === INVALID_CREDENTIALS) return false;
    throw error;
  }
}

/** What a client sends is a value in the filter and never a part of it (RFC 4515, 3). */
export function filled(filter: string, values: Readonly<Record<string, string>>): string {
  return filter.replace(/:(username|dn)\b/g, (all, name: string) => {
    const value = values[name];
    return value === undefined
      ? all
      : value.replace(/[\\*()\0]/g, sign => `\\${sign.charCodeAt(0).toString(16).padStart(2, '0')}`);
  });
}

function textsOf(value: Entry[string] | undefined): string[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map(each => each.toString());
}
