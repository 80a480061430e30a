/** Malformed packets without end: packets in order, spoiled in one of several ways, the same again for the same seed. */
import { connect, field, frame, hex, publish, subscribe, u16, unsubscribe } from '../conformance/bytes.ts';
import type { Version } from '../conformance/bytes.ts';
import type { Random } from './random.ts';

const VERSIONS = [3, 4, 5] as const;

/** Packets in order, for one version. */
function seedPackets(version: Version): Buffer[] {
  const topic = 'hostile/t';
  return [
    connect({ version, clientId: 'hostile', will: { topic, payload: 'w' }, username: 'u', password: 'p' }),
    publish({ version, topic, payload: 'payload' }),
    publish({ version, topic, qos: 1, packetId: 7, payload: 'payload', retain: true }),
    publish({
      version,
      topic,
      qos: 2,
      packetId: 8,
      properties: [
        ['userProperty', ['a', 'b']],
        ['topicAlias', 1],
      ],
    }),
    frame(0x40, u16(1)),
    frame(0x50, u16(1)),
    frame(0x62, u16(1)),
    frame(0x70, u16(1)),
    subscribe(version, 9, [
      ['hostile/#', 2],
      ['$share/g/hostile/+', 1],
    ]),
    unsubscribe(version, 10, ['hostile/#', 'x']),
    hex('c0 00'),
    frame(0xe0, hex('00 05 11 00000001')),
    frame(0xf0, hex('18 04 15 0001 6d')),
    frame(0x30, field('a'.repeat(300))),
  ];
}

type Spoil = (packet: Buffer, random: Random) => Buffer;

const spoils: readonly Spoil[] = [
  // A few bytes become others.
  (packet, random) => {
    for (let n = 1 + random.below(4); n > 0; n -= 1) packet[random.below(packet.length)] = random.below(256);
    return packet;
  },
  // The end is missing, and the length says so, or does not.
  (packet, random) => packet.subarray(0, random.below(packet.length + 1)),
  (packet, random) => frame(packet[0]!, packet.subarray(2, 2 + random.below(packet.length))),
  // Something is put in.
  (packet, random) => {
    const at = random.below(packet.length + 1);
    const more = Buffer.from(Array.from({ length: random.below(20) }, () => random.below(256)));
    return Buffer.concat([packet.subarray(0, at), more, packet.subarray(at)]);
  },
  // The first byte is another.
  (packet, random) => Buffer.concat([Buffer.of(random.below(256)), packet.subarray(1)]),
  // The length is another.
  (packet, random) => {
    const length = Array.from({ length: 1 + random.below(5) }, () => random.below(256));
    return Buffer.concat([packet.subarray(0, 1), Buffer.from(length), packet.subarray(2)]);
  },
  // Noise.
  (_packet, random) => Buffer.from(Array.from({ length: random.below(60) }, () => random.below(256))),
];

/** The packets of one attacker: one version, spoiled anew each time. */
export class HostileInputs {
  readonly version: Version;
  readonly #random: Random;
  readonly #packets: readonly Buffer[];

  constructor(random: Random) {
    this.#random = random;
    this.version = random.pick(VERSIONS);
    this.#packets = seedPackets(this.version);
  }

  next(): Buffer {
    const packet = Buffer.from(this.#random.pick(this.#packets));
    return this.#random.pick(spoils)(packet, this.#random);
  }

  /** A CONNECT that will be accepted, under one of fifty client ids. */
  hello(): Buffer {
    const clientId = `hostile-${this.#random.below(50)}`;
    return connect({ version: this.version, clientId, clean: this.#random.chance(0.5) });
  }
}
