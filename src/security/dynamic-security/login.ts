/**
 * Who are you? Dynamic security's answer (docs/compat/dynsec.md, 5). A name that it does not know is left to others;
 * where there are none, it costs as much time as a wrong password, so that nobody learns which names exist.
 */
import type { AuthenticationRequest } from '../../broker/ports.ts';
import type { AuthenticationAnswer, Authenticator } from '../authenticator.ts';
import type { HashQueue } from '../hash-queue.ts';
import { checkPassword, type PasswordEntry, standInFor } from '../password-entry.ts';
import { workOf } from '../password-hash.ts';
import type { Client, Model } from './model.ts';

export class DynamicLogin implements Authenticator {
  private readonly model: Model;
  private readonly queue: HashQueue;
  private readonly isLast: boolean;
  private nobody: PasswordEntry | null = null;
  private generation = -1;

  constructor(model: Model, queue: HashQueue, isLast: boolean) {
    this.model = model;
    this.queue = queue;
    this.isLast = isLast;
  }

  authenticate(request: AuthenticationRequest): AuthenticationAnswer | Promise<AuthenticationAnswer> {
    const { username, password } = request;
    if (username === null || password === null) return 'defer';
    const client = this.model.clients.get(username);
    if (client === undefined) return this.answerUnknown(password);
    const why = whyNot(client, request);
    if (why !== null) return { deny: why };
    if (client.password === null) return { deny: 'no password has been set for this user' };
    const answer = checkPassword(client.password, password, this.queue, 'wrong password');
    if (!(answer instanceof Promise)) return answer;
    return answer.then(late => (this.isStillSo(client) ? late : this.authenticate(request)));
  }

  /** The client may have been changed while the hash was computed; what others did meanwhile makes no difference. */
  private isStillSo({ username, password, disabled, clientId }: Client): boolean {
    const now = this.model.clients.get(username);
    return now?.password === password && now.disabled === disabled && now.clientId === clientId;
  }

  private answerUnknown(password: Buffer): AuthenticationAnswer | Promise<AuthenticationAnswer> {
    const nobody = this.isLast ? this.standIn() : null;
    if (nobody === null) return 'defer';
    const answer = checkPassword(nobody, password, this.queue, 'no such user');
    return answer instanceof Promise ? answer.then(orDefer) : orDefer(answer);
  }

  /** With the cost of the dearest password there is; null when there is none. */
  private standIn(): PasswordEntry | null {
    if (this.generation === this.model.generation) return this.nobody;
    this.generation = this.model.generation;
    let dearest: PasswordEntry | null = null;
    for (const { password } of this.model.clients.values()) {
      if (password !== null && (dearest === null || workOf(password.hash) > workOf(dearest.hash))) dearest = password;
    }
    this.nobody = dearest === null ? null : standInFor(dearest.hash);
    return this.nobody;
  }
}

function whyNot(client: Client, { clientId }: AuthenticationRequest): string | null {
  if (client.disabled) return 'this user is disabled';
  if (client.clientId === null || client.clientId === clientId) return null;
  return `this user may log in with the client id '${client.clientId}' only`;
}

/** Nobody fits the stand-in; being busy is an answer all the same. */
function orDefer(answer: AuthenticationAnswer): AuthenticationAnswer {
  return typeof answer === 'object' && 'deny' in answer && answer.undecided === true ? answer : 'defer';
}
