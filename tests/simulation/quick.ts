import * as bytes from '../conformance/bytes.ts';
import type { ConnectFields, Received, Version } from '../conformance/bytes.ts';
import type { SimulatedLink, World } from './world.ts';

/** A client whose bytes take no time. */
export class Quick {
  readonly link: SimulatedLink;
  readonly version: Version;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(world: World, fields: ConnectFields | null = {}, link = world.dial()) {
    this.version = fields?.version ?? 5;
    this.link = link;
    if (fields) this.say(bytes.connect({ clientId: 'c', keepAlive: 0, ...fields }));
  }

  say(...packets: Buffer[]): this {
    this.link.send(Buffer.concat(packets));
    this.link.arrive(Infinity);
    return this;
  }

  hear(): Received[] {
    this.#bytes = Buffer.concat([this.#bytes, this.link.read(Infinity)]);
    const packets: Received[] = [];
    for (let cut = bytes.cutPacket(this.#bytes); cut; cut = bytes.cutPacket(this.#bytes)) {
      this.#bytes = cut[1];
      packets.push(bytes.decode(cut[0], this.version));
    }
    return packets;
  }

  /** Payloads of the messages heard. */
  messages(): string[] {
    return this.hear()
      .filter(packet => packet.name === 'PUBLISH')
      .map(packet => packet.payload.toString());
  }

  subscribe(filter: string, options = 0): this {
    return this.say(bytes.subscribe(this.version, 1, [[filter, options]]));
  }

  publish(topic: string, payload: string, fields: Partial<bytes.PublishFields> = {}): this {
    return this.say(bytes.publish({ version: this.version, topic, payload, ...fields }));
  }
}
