/** A broker that asks one backend, and what a test does with it. */
import assert from 'node:assert/strict';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { type Broker, publish, RawClient, startBroker } from '../harness/mod.ts';

export const goAuthHash = (password: string): string => {
  const salt = randomBytes(16);
  const digest = pbkdf2Sync(password, salt, 10_000, 64, 'sha512');
  return `PBKDF2$sha512$10000$${salt.toString('base64')}$${digest.toString('base64')}`;
};

/** Times that a test can wait for, and that a busy machine does not need for an answer. */
export const quick = `auth_backend_timeout 3
auth_backend_cache_seconds 10
auth_backend_cache_refusal_seconds 0
`;

export class Stage {
  readonly broker: Broker;

  constructor(broker: Broker) {
    this.broker = broker;
  }

  static async open(section: string): Promise<Stage> {
    const broker = await startBroker({ conf: at => `listener ${at.port()} 127.0.0.1\n${section}${quick}` });
    await broker.logged(/The backend .* answers/);
    return new Stage(broker);
  }

  /** The reason code of the CONNACK. */
  async login(username: string, password: string | Buffer, clientId = ''): Promise<number> {
    const client = await RawClient.dial({ port: this.broker.port });
    try {
      const { body } = await client.connect({ version: 5, username, password, clientId });
      return body[1] ?? -1;
    } finally {
      client.end();
    }
  }

  async enter(username: string, password: string): Promise<RawClient> {
    const client = await RawClient.dial({ port: this.broker.port });
    const { body } = await client.connect({ version: 5, username, password });
    assert.equal(body[1], 0, this.broker.log);
    return client;
  }
}

export async function mayPublish(client: RawClient, topic: string): Promise<boolean> {
  client.send(publish({ version: 5, topic, qos: 1, packetId: 7 }));
  const { body } = await client.expect('puback');
  return (body[2] ?? 0) < 0x80;
}

export async function mayPublishAll(client: RawClient, ...topics: string[]): Promise<boolean[]> {
  const answers: boolean[] = [];
  for (const topic of topics) answers.push(await mayPublish(client, topic));
  return answers;
}
