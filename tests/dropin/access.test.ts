/** What clients may touch, over the wire, by the decision tables of docs/compat/password-acl.md. */
import assert from 'node:assert/strict';
import { after, describe, test, type TestContext } from 'node:test';
import {
  acknowledgement,
  connect,
  disconnect,
  pingreq,
  publish,
  RawClient,
  until,
  type Broker,
  type Place,
  type Version,
} from '../harness/mod.ts';
import { afterReload, assertInOrder, clientOf, Folder, reload, rowsAtOnce, shared, start, texts } from './stage.ts';

const versions: readonly Version[] = [3, 4, 5];

interface Files {
  rules?: string;
  more?: string;
}

async function brokerWith(t: TestContext, { rules, more = 'allow_anonymous true\n' }: Files): Promise<Broker> {
  const folder = new Folder(t);
  let conf = more;
  if (rules !== undefined) conf += `acl_file ${folder.write('rules', rules)}\n`;
  return start(t, { conf: at => `listener ${at.port()} 127.0.0.1\n${conf}` });
}

/** What one may do under a set of rules: topics that one may publish, and topics that reach one. */
interface RightsRow {
  says: string;
  rules: string;
  user?: string;
  clientId?: string;
  write?: Readonly<Record<string, boolean>>;
  read?: Readonly<Record<string, boolean>>;
}

const rights: readonly RightsRow[] = [
  {
    says: 'no access word is readwrite',
    rules: 'topic a\n',
    write: { a: true, b: false },
    read: { a: true, b: false },
  },
  { says: 'read alone', rules: 'topic read a\n', write: { a: false }, read: { a: true } },
  { says: 'write alone', rules: 'topic write a\n', write: { a: true }, read: { a: false } },
  {
    says: 'read and write on two lines add up',
    rules: 'topic read a\ntopic write a\n',
    write: { a: true },
    read: { a: true },
  },
  { says: 'one word after topic is the filter', rules: 'topic read\n', write: { read: true, a: false } },
  {
    says: 'a topic may have spaces behind an access word',
    rules: 'topic readwrite a b\n',
    write: { 'a b': true, a: false },
  },
  {
    says: 'lines before the first user are for clients without a name',
    rules: 'topic a\nuser alice\ntopic b\n',
    write: { a: true, b: false },
  },
  {
    says: 'and not for those with one',
    rules: 'topic a\nuser alice\ntopic b\n',
    user: 'alice',
    write: { a: false, b: true },
  },
  {
    says: 'a user without a block has nothing',
    rules: 'topic a\nuser alice\ntopic b\n',
    user: 'bob',
    write: { a: false, b: false },
  },
  {
    says: 'two blocks of one user add up',
    rules: 'user alice\ntopic a\nuser bob\ntopic c\nuser alice\ntopic b\n',
    user: 'alice',
    write: { a: true, b: true, c: false },
  },
  { says: 'a user name may have spaces', rules: 'user alice b\ntopic a\n', user: 'alice b', write: { a: true } },
  {
    says: '%u is the name',
    rules: 'pattern u/%u/#\n',
    user: 'alice',
    write: { 'u/alice/x': true, 'u/bob/x': false, 'u/%u/x': false },
  },
  { says: '%u never matches without a name', rules: 'pattern u/%u\n', write: { 'u/': false, 'u/%u': false } },
  { says: '%c is the client id', rules: 'pattern c/%c\n', write: { 'c/c': true, 'c/d': false } },
  {
    says: '%u within a level is literal',
    rules: 'pattern u/x%u\n',
    user: 'alice',
    write: { 'u/xalice': false, 'u/x%u': true },
  },
  {
    says: 'patterns stand beside the rules of a user',
    rules: 'user alice\ntopic a\npattern p/%u\n',
    user: 'alice',
    write: { a: true, 'p/alice': true },
  },
  {
    says: 'a pattern without %c and %u is for everybody',
    rules: 'pattern read all\n',
    user: 'alice',
    read: { all: true },
    write: { all: false },
  },
  {
    says: 'a name with a wildcard is dangerous once there are patterns',
    rules: 'pattern u/%u\n',
    user: 'a+b',
    write: { 'u/ab': false, a: false },
  },
  {
    says: 'deny beats a later, narrower allow',
    rules: 'topic deny a/#\ntopic a/b\n',
    write: { 'a/b': false, 'a/c': false },
  },
  {
    says: 'deny beats an earlier allow',
    rules: 'topic a/#\ntopic deny a/b\n',
    write: { 'a/b': false, 'a/c': true },
    read: { 'a/b': false, 'a/c': true },
  },
  {
    says: 'an allow of the user beats a deny of a pattern',
    rules: 'user alice\ntopic a\npattern deny #\n',
    user: 'alice',
    write: { a: true, b: false },
  },
  {
    says: 'a deny of the user beats an allow of a pattern',
    rules: 'user alice\ntopic deny a\npattern #\n',
    user: 'alice',
    write: { a: false, b: true },
  },
  {
    says: 'wildcards',
    rules: 'topic a/+/c\ntopic d/#\n',
    write: { 'a/b/c': true, 'a/b/d': false, d: true, 'd/e/f': true },
  },
  { says: '# does not reach $ topics', rules: 'topic #\n', write: { a: true, '$a/b': false, '$SYS/x': false } },
  { says: 'a rule for $ topics begins with $', rules: 'topic $a/#\n', write: { '$a/b': true } },
  {
    says: '$SYS is not written, whatever the rules say',
    rules: 'topic $SYS/#\ntopic #\n',
    write: { '$SYS/x': false, '$SYS/broker/connection/b/state': true },
  },
  { says: '$share is not written', rules: 'topic $share/#\n', write: { '$share/g/a': false } },
  { says: 'comments in the first column and empty lines', rules: '# one\n\ntopic a\n', write: { a: true } },
  { says: 'blanks at the end of a line', rules: 'topic a  \n', write: { a: true } },
  { says: 'an empty file allows nothing', rules: '', write: { a: false }, read: { a: false } },
];

describe('what they may touch', () => {
  const folder = new Folder({ after }, { rules: '' });
  const conf = (at: Place): string =>
    `listener ${at.port()} 127.0.0.1\nallow_anonymous true\nacl_file ${folder.at('rules')}\n`;
  const shop = shared({ conf });

  /** Puts the rules in force; whom they let write everything is known to no rules before. */
  async function writerUnder(rules: string, number: number): Promise<RawClient> {
    const username = `zz-writer-${number}`;
    folder.write('rules', `${rules}user ${username}\ntopic write #\ntopic write $a/#\n`);
    await reload(shop());
    const writer = await clientOf(shop(), { clientId: 'w', version: 5, username });
    await until('the rules to be in force', async () => {
      writer.send(publish({ version: 5, topic: 'marker', qos: 1 }));
      return (await writer.expect('puback')).reasonCode !== 0x87;
    });
    return writer;
  }

  for (const [number, { says, rules, user, clientId = 'c', write = {}, read = {} }] of rights.entries()) {
    test(says, async () => {
      const writer = await writerUnder(rules, number);
      const who = { clientId, version: 5 as const, ...(user === undefined ? {} : { username: user }) };
      const client = await clientOf(shop(), who);
      for (const [topic, allowed] of Object.entries(write)) {
        client.send(publish({ version: 5, topic, qos: 1 }));
        assert.equal((await client.expect('puback')).reasonCode !== 0x87, allowed, `write ${topic}`);
      }
      for (const [topic, allowed] of Object.entries(read)) {
        assert.deepEqual(
          (await client.subscribe([[topic, 0]])).reasonCodes,
          [0],
          'a file always grants a subscription',
        );
        writer.send(publish({ version: 5, topic, qos: 1 }));
        await writer.expect('puback');
        if (allowed) assert.equal((await client.expect('publish')).topic, topic);
        else await client.expectQuiet();
      }
    });
  }
});

describe('what they may touch, besides', rowsAtOnce, () => {
  test('without rules everything is allowed but $SYS and $share', async t => {
    const broker = await brokerWith(t, {});
    const client = await clientOf(broker, { clientId: 'c', version: 5 });
    for (const [topic, code] of [
      ['a', 0x10],
      ['$a/b', 0x10],
      ['$SYS/a', 0x87],
      ['$share/g/a', 0x87],
    ] as const) {
      client.send(publish({ version: 5, topic, qos: 1 }));
      assert.equal((await client.expect('puback')).reasonCode, code, topic);
    }
  });

  test('a name with a wildcard is logged', async t => {
    const broker = await brokerWith(t, { rules: 'pattern u/%u\n' });
    const client = await clientOf(broker, { clientId: 'c', version: 5, username: 'a+b' });
    client.send(publish({ version: 5, topic: 'u/x', qos: 1 }));
    await client.expect('puback');
    await broker.logged(/^\d+: ACL denying access to client with dangerous username "a\+b"$/);
  });

  test('a pattern without %c and %u is a warning', async t => {
    const broker = await brokerWith(t, { rules: 'pattern read all\n' });
    assert.ok(texts(broker.lines).includes("Warning: ACL pattern 'all' does not contain '%c' or '%u'."), broker.log);
  });
});

describe('what a client sees that may not publish', rowsAtOnce, () => {
  for (const version of versions) {
    test(`protocol ${version}: every QoS, and the connection stays`, async t => {
      const broker = await brokerWith(t, { rules: 'topic read #\n', more: 'allow_anonymous true\nlog_type all\n' });
      const client = await clientOf(broker, { clientId: 'c', version });
      client.send(publish({ version, topic: 't', payload: 'abc' }));
      await client.expectQuiet();
      client.send(publish({ version, topic: 't', payload: 'abc', qos: 1, packetId: 1 }));
      const puback = await client.expect('puback');
      assert.equal(puback.bytes.toString('hex'), version === 5 ? '4003000187' : '40020001');
      client.send(publish({ version, topic: 't', payload: 'abc', qos: 2, packetId: 2 }));
      const pubrec = await client.expect('pubrec');
      assert.equal(pubrec.bytes.toString('hex'), version === 5 ? '5003000287' : '50020002');
      if (version !== 5) {
        client.send(acknowledgement('pubrel', 2));
        assert.equal((await client.expect('pubcomp')).bytes.toString('hex'), '70020002');
      }
      await broker.logged(/Denied PUBLISH from c \(d0, q2/);
      assertInOrder(
        texts(broker.lines),
        "Denied PUBLISH from c (d0, q0, r0, m0, 't', ... (3 bytes))",
        "Denied PUBLISH from c (d0, q1, r0, m1, 't', ... (3 bytes))",
        "Denied PUBLISH from c (d0, q2, r0, m2, 't', ... (3 bytes))",
      );
    });
  }
});

describe('wills', rowsAtOnce, () => {
  for (const version of versions) {
    test(`protocol ${version}: a will that may not be said is accepted, and dropped when its time comes`, async t => {
      const broker = await brokerWith(t, { rules: 'topic read #\ntopic write ok\nuser w\ntopic #\n' });
      const reader = await clientOf(broker, { clientId: 'r' });
      await reader.subscribe([['#', 0]]);
      const dying = await clientOf(broker, { clientId: 'd', version, will: { topic: 'no', payload: 'x' } });
      dying.destroy();
      const other = await clientOf(broker, { clientId: 'o', version, will: { topic: 'ok', payload: 'x' } });
      await broker.logged(/Client d .*disconnected/);
      other.destroy();
      assert.equal((await reader.expect('publish')).topic, 'ok');
    });
  }

  test('a will on $CONTROL is refused by closing', async t => {
    const broker = await brokerWith(t, {});
    for (const version of versions) {
      const client = await RawClient.dial({ port: broker.port });
      client.send(connect({ clientId: 'c', version, will: { topic: '$CONTROL/x/v1' } }));
      await client.expectClosed();
    }
  });
});

describe('retained and queued messages', rowsAtOnce, () => {
  test('retained messages reach only who may read them', async t => {
    const broker = await brokerWith(t, { rules: 'topic write #\ntopic read a\n' });
    const client = await clientOf(broker, { clientId: 'c' });
    client.send(
      publish({ topic: 'a', retain: true, payload: 'x' }),
      publish({ topic: 'b', retain: true, payload: 'x' }),
    );
    await client.subscribe([['#', 0]]);
    assert.equal((await client.expect('publish')).topic, 'a');
    await client.expectQuiet();
  });

  /** Alice retains a; then the rules are changed so that she may not write it any more; what does a newcomer get? */
  async function retainedAfterRightsAreGone(t: TestContext, check: boolean): Promise<string[]> {
    const folder = new Folder(t, { rules: 'user alice\ntopic a\ntopic b\nuser bob\ntopic read #\n' });
    const broker = await start(t, {
      conf: at =>
        `listener ${at.port()} 127.0.0.1\nallow_anonymous true\ncheck_retain_source ${check}\nacl_file ${folder.at('rules')}\n`,
    });
    const alice = await clientOf(broker, { clientId: 'a', username: 'alice' });
    for (const [i, topic] of ['a', 'b'].entries()) {
      alice.send(publish({ topic, retain: true, payload: 'x', qos: 1, packetId: i + 1 }));
      await alice.expect('puback');
    }
    alice.send(disconnect());
    folder.write('rules', 'user alice\ntopic b\nuser bob\ntopic read #\n');
    await reload(broker);
    await afterReload(broker);
    const bob = await clientOf(broker, { clientId: 'b', username: 'bob' });
    await bob.subscribe([['#', 0]]);
    bob.send(pingreq());
    const topics = [];
    for (let packet = await bob.next(); packet?.type === 'publish'; packet = await bob.next())
      topics.push(packet.topic!);
    return topics.sort();
  }

  test('check_retain_source true: a publisher without rights takes its retained message along', async t => {
    assert.deepEqual(await retainedAfterRightsAreGone(t, true), ['b']);
  });

  test('check_retain_source false, as unless told otherwise: it stays', async t => {
    assert.deepEqual(await retainedAfterRightsAreGone(t, false), ['a', 'b']);
  });

  test('another user who comes back to a session does not get what only the first may read', async t => {
    const broker = await brokerWith(t, { rules: 'user alice\ntopic #\nuser bob\ntopic b\nuser w\ntopic #\n' });
    const alice = await clientOf(broker, { clientId: 's', username: 'alice', clean: false });
    await alice.subscribe([['#', 1]]);
    alice.destroy();
    await broker.logged(/Client s .*disconnected/);
    const writer = await clientOf(broker, { clientId: 'w', username: 'w' });
    for (const [i, topic] of ['a', 'b'].entries()) {
      writer.send(publish({ topic, qos: 1, packetId: i + 1 }));
      await writer.expect('puback');
    }
    const bob = await clientOf(broker, { clientId: 's', username: 'bob', clean: false });
    assert.equal((await bob.expect('publish')).topic, 'b');
    await bob.expectQuiet();
    writer.send(publish({ topic: 'a' }), publish({ topic: 'b' }));
    assert.equal((await bob.expect('publish')).topic, 'b');
  });

  test('a member of a shared subscription that may not read a message is passed over (Mosquitto loses it)', async t => {
    const broker = await brokerWith(t, {
      rules: 'user alice\ntopic read a\nuser bob\ntopic read #\nuser w\ntopic #\n',
    });
    const alice = await clientOf(broker, { clientId: 'a', username: 'alice' });
    const bob = await clientOf(broker, { clientId: 'b', username: 'bob' });
    await alice.subscribe([['$share/g/#', 0]]);
    await bob.subscribe([['$share/g/#', 0]]);
    const writer = await clientOf(broker, { clientId: 'w', username: 'w', version: 5 });
    for (let i = 1; i <= 4; i++) {
      writer.send(publish({ version: 5, topic: 'b', qos: 1, packetId: i }));
      assert.equal((await writer.expect('puback')).reasonCode, 0);
    }
    await alice.expectQuiet();
    for (let i = 1; i <= 4; i++) assert.equal((await bob.expect('publish')).topic, 'b');
  });
});
