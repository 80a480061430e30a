/** The members of a command, in the words of its refusals. */
import { type JsonObject, member } from '../control-protocol.ts';
import { type AclType, aclTypes } from './model.ts';

/** Ends one command with an error text; nothing has been changed then. */
export class CommandRefused extends Error {}

/** How an error calls a name, at the start of a sentence and for bad UTF-8. */
interface NameWords {
  member: string;
  utf8: string;
}

export const USERNAME: NameWords = { member: 'username', utf8: 'Username' };
export const GROUP_NAME: NameWords = { member: 'groupname', utf8: 'Group name' };
export const ROLE_NAME: NameWords = { member: 'rolename', utf8: 'Role name' };

/** Clamped there. */
const PRIORITY_MAX = 100_000;

/** What a payload that is not UTF-8 is read as, character by character. */
const REPLACEMENT = '\ufffd';

export class Fields {
  private readonly object: JsonObject;
  private readonly isUtf8: boolean;

  /** `isUtf8`: of the payload as it came. */
  constructor(object: JsonObject, isUtf8: boolean) {
    this.object = object;
    this.isUtf8 = isUtf8;
  }

  get(name: string): unknown {
    return member(this.object, name);
  }

  name(words: NameWords): string {
    const value = this.get(words.member);
    if (typeof value !== 'string') throw new CommandRefused(`Invalid/missing ${words.member}`);
    if (value === '') throw new CommandRefused(`Empty ${words.member}`);
    return this.checked(value, words.utf8);
  }

  /** `missing` is what the error calls it. Undefined when it is absent. */
  optionalText(name: string, called = name): string | undefined {
    const value = this.get(name);
    if (value === undefined || typeof value === 'string') return value;
    throw new CommandRefused(`Invalid/missing ${called}`);
  }

  text(name: string): string {
    return this.optionalText(name) ?? refuse(`Invalid/missing ${name}`);
  }

  clientId(called: string): string | undefined {
    const value = this.optionalText('clientid', called);
    return value === undefined ? undefined : this.checked(value, 'Client ID');
  }

  aclType(): AclType {
    const written = this.text('acltype');
    return aclTypeOf(written) ?? refuse('Unknown acltype');
  }

  topic(): string {
    const topic = this.text('topic');
    return topic === '' ? refuse('Invalid/missing topic') : this.checked(topic, 'Topic');
  }

  flag(name: string): boolean | undefined {
    const value = this.get(name);
    return typeof value === 'boolean' ? value : undefined;
  }

  priority(standard: number): number {
    return priorityOf(this.object, standard);
  }

  count(name: string, standard: number): number {
    const value = this.get(name);
    return typeof value === 'number' ? Math.trunc(value) : standard;
  }

  private checked(text: string, called: string): string {
    const isBroken = (!this.isUtf8 && text.includes(REPLACEMENT)) || !isMqttText(text);
    return isBroken ? refuse(`${called} not valid UTF-8`) : text;
  }
}

function refuse(text: string): never {
  throw new CommandRefused(text);
}

export function priorityOf(object: JsonObject, standard: number): number {
  const value = member(object, 'priority');
  if (typeof value !== 'number') return standard;
  return Math.max(-PRIORITY_MAX, Math.min(PRIORITY_MAX, Math.trunc(value)));
}

export function aclTypeOf(written: string): AclType | undefined {
  const wanted = written.toLowerCase();
  return aclTypes.find(type => type.toLowerCase() === wanted);
}

/** No control characters, halves of surrogate pairs and non-characters (MQTT 5, 1.5.4). */
export function isMqttText(text: string): boolean {
  return text.isWellFormed() && !/[\u0000-\u001f\u007f-\u009f\ufdd0-\ufdef\ufffe\uffff]/.test(text);
}
