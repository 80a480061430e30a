/**
 * Users and rules from a service of your own, by HTTP, with the fields that mosquitto-go-auth sends.
 *
 *   POST user_url       { username, password, clientid }   2xx: let in; 404: somebody else's user; other 4xx: refused
 *   POST superuser_url  { username }                       2xx: may everything
 *   POST acl_url        { username, clientid }             all rules of the user, as rule-list.ts reads them
 *                       { username, clientid, topic, acc } with `acl_answers topic`: may it? as for the others; acc is
 *                                                          1 to read, 2 to write, 4 to subscribe
 *
 * With `response json` a 2xx has to say { "ok": true }, with `text` it has to say ok. 429 and 5xx are no answer at all.
 */
import { type Connection, tlsOf } from './connection.ts';
import { Answered, type Gate, Outage } from './gate.ts';
import { type HttpAnswer, HttpClient } from './http-client.ts';
import type { RightsRows } from './rights.ts';
import { rulesOf } from './rule-list.ts';
import type { UserBackendSettings } from './settings.ts';
import type { LoginResult, Source, Subject } from './source.ts';

/** As Mosquitto's plugins are asked. */
const accessNumbers = { read: 1, write: 2, subscribe: 4 } as const;

export class HttpSource implements Source {
  /** Sent with every question. */
  readonly usesClientId = true;
  readonly usesAddress = false;
  readonly rules: 'asked' | 'none';
  private readonly settings: UserBackendSettings;
  private readonly client: HttpClient;
  private readonly gate: Gate;
  readonly mayTopic?: NonNullable<Source['mayTopic']>;

  constructor(connection: Connection, gate: Gate) {
    const { settings, timeoutMs } = connection;
    this.settings = settings;
    this.gate = gate;
    const tls = tlsOf({ ...connection, settings: { ...settings, tls: true } });
    this.client = new HttpClient(tls, timeoutMs, settings.connectionsMax);
    this.rules = settings.aclUrl === null && settings.superuserUrl === null ? 'none' : 'asked';
    const { aclUrl } = settings;
    if (aclUrl === null || settings.aclAnswers !== 'topic') return;
    this.mayTopic = async ({ username, clientId }, access, topic) => {
      const fields = { username, clientid: clientId, topic, acc: accessNumbers[access] };
      return this.isYes(await this.post(aclUrl, fields));
    };
  }

  async login({ username, clientId }: Subject, password: Buffer): Promise<LoginResult> {
    const { userUrl } = this.settings;
    const answer = await this.post(userUrl ?? '', { username, password: password.toString(), clientid: clientId });
    if (answer.status === 404) return { answer: 'unknown' };
    return { answer: this.isYes(answer) ? 'allow' : 'wrong' };
  }

  async rights({ username, clientId }: Subject): Promise<RightsRows> {
    const { superuserUrl, aclUrl } = this.settings;
    const [above, listed] = await Promise.all([
      superuserUrl === null ? null : this.post(superuserUrl, { username }),
      aclUrl === null || this.mayTopic !== undefined ? null : this.post(aclUrl, { username, clientid: clientId }),
    ]);
    const superuser = above !== null && this.isYes(above);
    return { superuser, rules: listed === null || listed.status >= 300 ? [] : listOf(listed) };
  }

  /** Any answer will do. */
  async ping(): Promise<void> {
    await this.client.send(new URL(this.settings.userUrl ?? ''), 'GET', {}, '');
  }

  close(): Promise<void> {
    return Promise.resolve(this.client.close());
  }

  private post(url: string, fields: Record<string, string | number>): Promise<HttpAnswer> {
    const isForm = this.settings.params === 'form';
    const body = isForm ? formOf(fields) : JSON.stringify(fields);
    const headers = {
      'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'zancudo',
    };
    return this.gate.run(async () => {
      const answer = await this.client.send(new URL(url), 'POST', headers, body);
      if (answer.status >= 500 || answer.status === 429) throw new Outage(`it answers with status ${answer.status}`);
      if (answer.status >= 300 && answer.status < 400) throw new Answered(`it sends elsewhere (status ${answer.status}); name the right address`); // prettier-ignore
      return answer;
    });
  }

  private isYes({ status, text }: HttpAnswer): boolean {
    if (status < 200 || status >= 300) return false;
    if (this.settings.response === 'text') return text.trim().toLowerCase() === 'ok';
    if (this.settings.response === 'status') return true;
    const { ok, Ok } = parsed(text) as { ok?: unknown; Ok?: unknown };
    return ok === true || Ok === true;
  }
}

function formOf(fields: Record<string, string | number>): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) form.set(name, String(value));
  return form.toString();
}

function listOf({ text }: HttpAnswer): RightsRows['rules'] {
  const value = parsed(text);
  const rules = rulesOf('acl' in value ? value.acl : value);
  if (rules === null)
    throw new Answered('its list of rules is neither [{"topic": .., "acc": ..}] nor {"pub": [..], "sub": [..]}');
  return rules;
}

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below.
  }
  throw new Answered('its answer is no JSON object');
}
