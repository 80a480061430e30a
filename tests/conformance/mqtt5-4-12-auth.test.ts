/**
 * MQTT 5.0, chapters 3.15 and 4.12: enhanced authentication. No configuration brings a method with it, so the heart is
 * driven in this process with one of our own, over a simulated link.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessControl, EnhancedStep } from '../../src/broker/ports.ts';
import { openAccess, World } from '../simulation/world.ts';
import type { SimulatedLink } from '../simulation/world.ts';
import { connect, cutPacket, decode, frame, PINGREQ, propertyField, u8 } from './bytes.ts';
import type { Property, Received } from './bytes.ts';

const METHOD = ['authenticationMethod', 'RIDDLE'] as const;

/** Asks a riddle and wants the answer; `slowly` thinks in between. */
function riddle(slowly: boolean): AccessControl {
  const judge = (data: Buffer | null): EnhancedStep => {
    const said = data?.toString();
    if (said === 'hello') return { kind: 'continue', data: Buffer.from('what buzzes?') };
    if (said === 'zancudo') return { kind: 'success', data: Buffer.from('right') };
    return { kind: 'failure', because: 'wrong answer' };
  };
  const step = (data: Buffer | null): EnhancedStep | Promise<EnhancedStep> =>
    slowly ? Promise.resolve(judge(data)) : judge(data);
  return { ...openAccess, enhanced: method => (method === METHOD[1] ? { step } : null) };
}

/** One client on a link of its own. */
class Speaker {
  readonly link: SimulatedLink;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(world: World) {
    this.link = world.dial();
  }

  async say(...packets: Buffer[]): Promise<void> {
    this.link.send(Buffer.concat(packets));
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let n = 0; n < 5; n += 1) {
      this.link.arrive(Infinity);
      await new Promise(resolve => setImmediate(resolve));
    }
  }

  hear(): Received | null {
    this.#bytes = Buffer.concat([this.#bytes, this.link.read(Infinity)]);
    const cut = cutPacket(this.#bytes);
    if (cut === null) return null;
    this.#bytes = cut[1];
    return decode(cut[0], 5);
  }
}

function auth(reason: number, data: string, method: Property = METHOD): Buffer {
  return frame(0xf0, u8(reason), propertyField([method, ['authenticationData', data]]));
}

const hello = (data = 'hello'): Buffer =>
  connect({ clientId: 'c', properties: [METHOD, ['authenticationData', data]], keepAlive: 0 });

const dataOf = (packet: Received | null): string | undefined =>
  (new Map(packet?.properties).get('authenticationData') as Buffer | undefined)?.toString();

const methodOf = (packet: Received | null): unknown => new Map(packet?.properties).get('authenticationMethod');

function heard(packet: Received | null, name: string, code: number): Received {
  assert.deepEqual([packet?.name, packet?.code], [name, code]);
  return packet!;
}

for (const slowly of [false, true]) {
  const how = slowly ? ', with a method that takes its time' : '';
  const open = (): Speaker => new Speaker(new World({ access: riddle(slowly) }));

  /** A client that has authenticated. */
  const accepted = async (): Promise<Speaker> => {
    const speaker = open();
    await speaker.say(hello());
    speaker.hear();
    await speaker.say(auth(0x18, 'zancudo'));
    heard(speaker.hear(), 'CONNACK', 0);
    return speaker;
  };

  test(`[MQTT-4.12.0-2] [MQTT-3.15.2-1] [MQTT-4.12.0-5] the server asks with AUTH 0x18 and the method${how}`, async () => {
    const speaker = open();
    await speaker.say(hello());
    const question = heard(speaker.hear(), 'AUTH', 0x18);
    assert.deepEqual([methodOf(question), dataOf(question)], ['RIDDLE', 'what buzzes?']);
    assert.equal(speaker.hear(), null);
  });

  test(`[MQTT-4.12.0-3] [MQTT-4.12.0-5] after the right answer CONNACK carries method and data${how}`, async () => {
    const speaker = open();
    await speaker.say(hello());
    speaker.hear();
    await speaker.say(auth(0x18, 'zancudo'));
    const connack = heard(speaker.hear(), 'CONNACK', 0);
    assert.deepEqual([methodOf(connack), dataOf(connack)], ['RIDDLE', 'right']);
    await speaker.say(PINGREQ);
    heard(speaker.hear(), 'PINGRESP', 0);
  });

  test(`a method that needs no question is answered with CONNACK at once${how}`, async () => {
    const speaker = open();
    await speaker.say(hello('zancudo'));
    heard(speaker.hear(), 'CONNACK', 0);
  });

  test(`[MQTT-4.12.0-4] a wrong answer is refused with 0x87 and closed${how}`, async () => {
    const speaker = open();
    await speaker.say(hello());
    speaker.hear();
    await speaker.say(auth(0x18, 'a fridge'));
    heard(speaker.hear(), 'CONNACK', 0x87);
    assert.ok(speaker.link.ended);
  });

  test(`[MQTT-4.12.0-3] AUTH with another reason than 0x18 during CONNECT ends the connection${how}`, async () => {
    const speaker = open();
    await speaker.say(hello());
    speaker.hear();
    await speaker.say(auth(0x19, 'zancudo'));
    assert.ok(speaker.link.ended);
    assert.notEqual(speaker.hear()?.code, 0);
  });

  test(`[MQTT-4.12.0-5] AUTH with another method ends the connection${how}`, async () => {
    const speaker = open();
    await speaker.say(hello());
    speaker.hear();
    await speaker.say(auth(0x18, 'zancudo', ['authenticationMethod', 'OTHER']));
    assert.ok(speaker.link.ended);
    assert.notEqual(speaker.hear()?.code, 0);
  });

  test(`a packet other than AUTH before the CONNACK ends the connection${how}`, async () => {
    const speaker = open();
    await speaker.say(hello());
    speaker.hear();
    await speaker.say(PINGREQ);
    assert.ok(speaker.link.ended);
  });

  test(`[MQTT-4.12.1-1] a client can authenticate again at any time, with the method of CONNECT${how}`, async () => {
    const speaker = await accepted();
    await speaker.say(auth(0x19, 'hello'));
    heard(speaker.hear(), 'AUTH', 0x18);
    await speaker.say(auth(0x18, 'zancudo'));
    const success = heard(speaker.hear(), 'AUTH', 0);
    assert.deepEqual([methodOf(success), dataOf(success)], ['RIDDLE', 'right']);
    await speaker.say(PINGREQ);
    heard(speaker.hear(), 'PINGRESP', 0);
  });

  test(`[MQTT-4.12.1-1] re-authentication with another method is a protocol error${how}`, async () => {
    const speaker = await accepted();
    await speaker.say(auth(0x19, 'hello', ['authenticationMethod', 'OTHER']));
    heard(speaker.hear(), 'DISCONNECT', 0x82);
    assert.ok(speaker.link.ended);
  });

  test(`[MQTT-4.12.1-2] a failed re-authentication is told with DISCONNECT 0x87 and closed${how}`, async () => {
    const speaker = await accepted();
    await speaker.say(auth(0x19, 'a fridge'));
    heard(speaker.hear(), 'DISCONNECT', 0x87);
    assert.ok(speaker.link.ended);
  });

  test(`while a client authenticates again its other packets are served${how}`, async () => {
    const speaker = await accepted();
    await speaker.say(auth(0x19, 'hello'));
    heard(speaker.hear(), 'AUTH', 0x18);
    await speaker.say(PINGREQ);
    heard(speaker.hear(), 'PINGRESP', 0);
    await speaker.say(auth(0x18, 'zancudo'));
    heard(speaker.hear(), 'AUTH', 0);
  });
}
