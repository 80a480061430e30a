/**
 * `$CONTROL/dynamic-security/v1`: requests in, changes made, one response each (docs/compat/dynsec.md, 2 and 7).
 *
 *   request ── its commands, one after the other ── saved ── response ── whoever has to go is put out
 *                 a password waits for its hash
 *
 * Requests of one client are answered in their order; those of others do not wait for them. A change holds from its
 * command on; the response says that it is also on the disk.
 */
import type { BrokerControl, Log, ServiceRequest, TopicService } from '../../broker/ports.ts';
import {
  type ControlCall,
  type ControlReply,
  controlResponse,
  member,
  readControlRequest,
  shownValue,
} from '../control-protocol.ts';
import type { HashQueue } from '../hash-queue.ts';
import { hashPassword } from '../password-hash.ts';
import type { Command, CommandContext } from './command.ts';
import { commands } from './commands.ts';
import { CommandRefused, Fields, USERNAME } from './fields.ts';
import type { Model } from './model.ts';

export const CONTROL_TOPIC = '$CONTROL/dynamic-security/v1';

/** As large as an MQTT packet can be: max_packet_size is the bound. */
const PAYLOAD_BYTES_MAX = 268_435_455;

/** Of all clients together; who asks faster than passwords are hashed is told so. */
const REQUESTS_WAITING_MAX = 10_000;

/** A request with thousands of commands lets messages go on in between. */
const SLICE_MS = 2;

export interface ServicePorts {
  model: Model;
  log: Log;
  queue: HashQueue;
  control: BrokerControl;
  /** Answers that somebody remembers are void from here on. */
  changed: () => void;
  save: () => Promise<void>;
}

/** What the requests of one client wait for. */
interface Line {
  ran: Promise<unknown>;
  answered: Promise<unknown>;
  waiting: number;
}

interface Outcome {
  replies: ControlReply[];
  saved: Promise<void> | null;
  kicked: ReadonlySet<string | null>;
}

const byName = new Map(commands.map(command => [command.name.toLowerCase(), command]));

export class DynamicSecurityService implements TopicService {
  readonly topics = [CONTROL_TOPIC];
  readonly payloadBytesMax = PAYLOAD_BYTES_MAX;
  private readonly ports: ServicePorts;
  private readonly lines = new Map<string, Line>();
  private waiting = 0;

  constructor(ports: ServicePorts) {
    this.ports = ports;
  }

  handle(request: ServiceRequest): void {
    if (this.waiting >= REQUESTS_WAITING_MAX) {
      const busy = { command: 'Unknown command', error: 'Too many requests are waiting' };
      return request.reply(controlResponse([busy]));
    }
    const { clientId } = request.who;
    const line = this.lines.get(clientId) ?? { ran: Promise.resolve(), answered: Promise.resolve(), waiting: 0 };
    this.lines.set(clientId, line);
    line.waiting++;
    this.waiting++;
    const ran = line.ran.then(() => this.run(request));
    line.ran = ran.catch(() => undefined);
    line.answered = line.answered
      .then(() => this.answer(request, ran))
      .catch((error: unknown) =>
        this.ports.log.write('error', `dynsec: internal fault. Please report: ${String(error)}`, 'broker.fault'),
      )
      .finally(() => this.leave(clientId, line));
  }

  private leave(clientId: string, line: Line): void {
    this.waiting--;
    line.waiting--;
    if (line.waiting === 0) this.lines.delete(clientId);
  }

  private async answer(request: ServiceRequest, ran: Promise<Outcome>): Promise<void> {
    const { replies, saved, kicked } = await ran;
    await saved;
    request.reply(controlResponse(replies));
    // In a later turn, so that the reply and the acknowledgement of the request go out first.
    if (kicked.size > 0) setImmediate(() => this.putOut(kicked, request));
  }

  private putOut(kicked: ReadonlySet<string | null>, { who }: ServiceRequest): void {
    const { control } = this.ports;
    const because = `Dynamic security has changed what it may do, told so by client ${who.clientId}.`;
    control.disconnect(({ username }) => kicked.has(username), because);
    control.dropForbiddenSubscriptions(({ username }) => kicked.has(username));
  }

  private async run(request: ServiceRequest): Promise<Outcome> {
    const { calls, refusal, isUtf8 } = readControlRequest(request.payload);
    const kicked = new Set<string | null>();
    const connections = once(() => this.addressesByName());
    const replies: ControlReply[] = [];
    const before = this.ports.model.changeIndex;
    const kick = (username: string | null): void => void kicked.add(username);
    let since = performance.now();
    for (const call of calls) {
      if (performance.now() - since > SLICE_MS) {
        await new Promise(setImmediate);
        since = performance.now();
      }
      const told = call.correlationData === undefined ? {} : { correlationData: call.correlationData };
      const outcome = await this.runOne(call, new Fields(call.fields, isUtf8), { connections, kick }, request);
      replies.push({ command: call.command, ...told, ...outcome });
    }
    if (refusal !== null) replies.push(refusal);
    const saved = this.ports.model.changeIndex === before ? null : this.ports.save();
    return { replies, saved, kicked };
  }

  private async runOne(
    call: ControlCall,
    fields: Fields,
    given: Pick<CommandContext, 'connections' | 'kick'>,
    request: ServiceRequest,
  ): Promise<Partial<ControlReply>> {
    const known = byName.get(call.command.toLowerCase());
    if (known === undefined) return { error: 'Unknown command' };
    try {
      const hashing = this.hashFor(known, call);
      const hashed = hashing === null ? null : await hashing;
      const data = known.run(fields, { ...given, model: this.ports.model, hashed });
      if (known.changes) this.noteChange();
      this.report(request, known, call, '');
      return data === undefined ? {} : { command: known.name, data };
    } catch (error) {
      if (!(error instanceof CommandRefused)) return this.fault(error);
      this.report(request, known, call, ` | refused: ${error.message}`);
      return { error: error.message };
    }
  }

  private noteChange(): void {
    this.ports.model.changeIndex++;
    this.ports.changed();
  }

  /** A mistake of ours: whatever it has changed is kept and asked about anew. */
  private fault(error: unknown): Partial<ControlReply> {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.ports.log.write('error', `dynsec: internal fault. Please report: ${text}`, 'broker.fault');
    this.noteChange();
    return { error: 'Internal error' };
  }

  private report({ who }: ServiceRequest, { name, logs }: Command, { fields }: ControlCall, outcome: string): void {
    const values = logs.flatMap(shown => {
      const [key = '', absent] = shown.split('=');
      const value = member(fields, key);
      if (value === undefined) return absent === undefined ? [] : [` | ${key}=${absent}`];
      return [` | ${key}=${key === 'password' ? '*****' : shownValue(value)}`];
    });
    const client = `${who.clientId}/${who.username ?? '(null)'}`;
    this.ports.log.write('information', `dynsec: ${client} | ${name}${values.join('')}${outcome}`, {
      code: 'dynsec.request',
      client: who.clientId,
      user: who.username,
    });
  }

  /** One password at a time of one request, so that those who log in meanwhile find a place. Null for none. */
  private hashFor({ name }: Command, { fields }: ControlCall): Promise<string> | null {
    const password = member(fields, 'password');
    if (!hashing.has(name) || typeof password !== 'string' || password === '') return null;
    const username = member(fields, USERNAME.member);
    const client = typeof username === 'string' ? this.ports.model.clients.get(username) : undefined;
    // What will be refused is not worth the work.
    if ((name === 'createClient') !== (client === undefined)) return null;
    const kind = client?.password?.hash.kind === 'argon2id' ? 'argon2id' : 'sha512-pbkdf2';
    const hashed = this.ports.queue.run(() => hashPassword(password, kind));
    if (hashed === null) throw new CommandRefused('Too many passwords are waiting to be checked');
    return hashed;
  }

  private addressesByName(): Map<string, string[]> {
    const byUser = new Map<string, string[]>();
    for (const { username, address } of this.ports.control.clients()) {
      if (username === null) continue;
      const addresses = byUser.get(username);
      if (addresses === undefined) byUser.set(username, [address]);
      else addresses.push(address);
    }
    return byUser;
  }
}

const hashing = new Set(['createClient', 'modifyClient', 'setClientPassword']);

function once<T>(find: () => T): () => T {
  let found: { it: T } | null = null;
  return () => (found ??= { it: find() }).it;
}
