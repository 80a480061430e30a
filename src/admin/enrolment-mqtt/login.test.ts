import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AuthenticationRequest, ListenerRules, Peer } from '../../broker/ports.ts';
import { type EnrolmentOffice, EnrolmentRefusal, type Invite, type Standing } from '../../pki/mod.ts';
import { passForExpired, tokenLogin } from './login.ts';
import type { EnrolmentPorts } from './service.ts';

const TOKEN = 'k7w2abc-9mfe3xq-p4t8hnd-2zrvu6s';
const listener = { name: 'port 8883' } as ListenerRules;

interface Desk {
  invite?: EnrolmentRefusal | Partial<Invite>;
  standing?: EnrolmentRefusal | Partial<Standing>;
}

function portsOf({ invite, standing }: Desk): EnrolmentPorts & { asked: number } {
  const ports = {
    asked: 0,
    officeOf: () =>
      ({
        inviteFor: () => (ports.asked++, invite ?? { name: 'lamp' }),
        standing: () => standing,
      }) as unknown as EnrolmentOffice,
    clock: { wall: () => 0 },
    log: { debug: false, subscribe: false, unsubscribe: false, connections: true, write: () => undefined },
  };
  return ports;
}

function login(changes: Partial<Record<'username' | 'password', string | null>> = {}) {
  const { username = 'lamp', password = TOKEN } = changes;
  const seen = { address: '192.0.2.1', port: 4711, listener } as Peer;
  const secret = password === null ? null : Buffer.from(password);
  return { clientId: 'c', username, password: secret, peer: seen, listener, address: seen.address } as AuthenticationRequest; // prettier-ignore
}

const ask = (desk: Desk, request: AuthenticationRequest) => tokenLogin(portsOf(desk)).authenticate(request);

describe('a token as the password', () => {
  for (const username of ['lamp', 'enroll', null]) {
    test(`lets the user ${username} in to enrol and for nothing else`, () => {
      const answer = ask({}, login({ username }));
      assert.deepEqual(answer, {
        allow: { topics: ['$CA/v1/enroll'], limit: 'may only enrol as lamp', shown: TOKEN },
      });
    });
  }

  test('of another device is refused', () => {
    assert.match(JSON.stringify(ask({}, login({ username: 'fan' }))), /deny.*for the device lamp/);
  });

  test('that is used up is refused with the reason for the operator', () => {
    const used = new EnrolmentRefusal('token-used', 'the token has been used', 'it was used yesterday');
    assert.deepEqual(ask({ invite: used }, login()), { deny: 'it was used yesterday' });
  });

  test('that nobody knows may be the password of a user, but not of "enroll"', () => {
    const unknown = new EnrolmentRefusal('token-unknown', 'no such token');
    assert.equal(ask({ invite: unknown }, login({ username: 'ana' })), 'ignore');
    assert.deepEqual(ask({ invite: unknown }, login({ username: 'enroll' })), { deny: 'no such token' });
  });
});

test('a password that cannot be a token is not held against the tokens, so that no failure counts', async () => {
  const ports = portsOf({});
  for (const password of ['secret', '', null]) {
    assert.equal(await tokenLogin(ports).authenticate(login({ password })), 'ignore');
  }
  assert.equal(ports.asked, 0);
});

test('an expired certificate may be renewed within the grace period and for nothing else', () => {
  const pass = (standing: Desk['standing']) => passForExpired(portsOf(standing === undefined ? {} : { standing }), listener, Buffer.of()); // prettier-ignore
  assert.deepEqual(pass({ state: 'grace' })?.topics, ['$CA/v1/renew']);
  assert.equal(pass({ state: 'valid' }), null);
  assert.equal(pass(new EnrolmentRefusal('certificate-revoked', 'revoked')), null);
  assert.equal(pass(undefined), null);
});
