/**
 * What a backend said of a login, kept for a while.
 *
 *   HMAC(user name, client id, address, password)  ->  allow | wrong | unknown, until when
 *
 * Neither names nor passwords can be read back from it; the key is random for each start. A new password that fits
 * throws the old one out. Lifetimes are spread, so that ten thousand devices do not come back in one second.
 */
import { createHmac, randomBytes } from 'node:crypto';

export type LoginAnswer = 'allow' | 'wrong' | 'unknown';

interface Kept {
  answer: LoginAnswer;
  until: number;
  subject: string;
}

export interface AnswerLimits {
  sizeMax: number;
  allowMs: number;
  refusalMs: number;
}

const key = randomBytes(32);

/** What a login is remembered by. */
export function loginKey(parts: readonly string[], password: Buffer): string {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(`${Buffer.byteLength(part)}:${part}`);
  return hmac.update(password).digest('base64');
}

export class Answers {
  private readonly limits: AnswerLimits;
  private readonly kept = new Map<string, Kept>();
  /** The login that fits, by subject. */
  private readonly allowed = new Map<string, string>();

  constructor(limits: AnswerLimits) {
    this.limits = limits;
  }

  get size(): number {
    return this.kept.size;
  }

  get(login: string, now: number): LoginAnswer | null {
    const kept = this.kept.get(login);
    if (kept === undefined) return null;
    if (kept.until > now) return kept.answer;
    this.remove(login, kept);
    return null;
  }

  put(login: string, subject: string, answer: LoginAnswer, now: number): void {
    const lifetime = answer === 'allow' ? this.limits.allowMs : this.limits.refusalMs;
    if (lifetime === 0 || this.limits.sizeMax === 0) return;
    this.forget(login);
    if (answer === 'allow') {
      const before = this.allowed.get(subject);
      if (before !== undefined) this.forget(before);
      this.allowed.set(subject, login);
    }
    this.kept.set(login, { answer, until: now + lifetime * (0.75 + Math.random() / 4), subject });
    for (const [oldest] of this.kept) {
      if (this.kept.size <= this.limits.sizeMax) break;
      this.forget(oldest);
    }
  }

  clear(): void {
    this.kept.clear();
    this.allowed.clear();
  }

  private forget(login: string): void {
    const kept = this.kept.get(login);
    if (kept !== undefined) this.remove(login, kept);
  }

  private remove(login: string, { subject }: Kept): void {
    this.kept.delete(login);
    if (this.allowed.get(subject) === login) this.allowed.delete(subject);
  }
}
