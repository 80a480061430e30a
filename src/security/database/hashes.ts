/** Checks passwords against what a row holds, off the routing thread and never too many at a time. */
import type { HashQueue } from '../hash-queue.ts';
import { loginKey } from './answers.ts';
import { checkBcrypt } from './bcrypt.ts';
import { Answered, Outage } from './gate.ts';
import { decodeStored, type StoredHash } from './stored-hash.ts';
import type { SaltEncoding } from './settings.ts';

export class Hashes {
  private readonly queue: HashQueue;
  private readonly salts: SaltEncoding;
  /** The dearest hash of late: an unknown user costs as much as a known one. */
  private nobody: StoredHash | null = null;

  /** Passwords that fitted, with what they fitted: devices that come back after an hour cost no hash again. */
  private readonly proved = new Set<string>();
  private readonly provedMax: number;

  constructor(queue: HashQueue, salts: SaltEncoding, provedMax: number) {
    this.queue = queue;
    this.salts = salts;
    this.provedMax = provedMax;
  }

  /** Rejects with an Answered that says what is wrong with the stored hash, without showing it. */
  async fits(encoded: string, password: Buffer): Promise<boolean> {
    const decoded = decodeStored(encoded, this.salts, checkBcrypt);
    if (!decoded.ok) throw new Answered(`the stored password cannot be read: ${decoded.because}`);
    if (this.nobody === null || decoded.hash.work > this.nobody.work) this.nobody = decoded.hash;
    const proof = loginKey([encoded], password);
    if (this.proved.has(proof)) return true;
    const fits = await this.check(decoded.hash, password);
    if (fits) this.remember(proof);
    return fits;
  }

  async wasteTime(password: Buffer): Promise<void> {
    if (this.nobody !== null) await this.check(this.nobody, password);
  }

  private remember(proof: string): void {
    if (this.provedMax === 0) return;
    this.proved.add(proof);
    const [oldest] = this.proved;
    if (this.proved.size > this.provedMax && oldest !== undefined) this.proved.delete(oldest);
  }

  private check(hash: StoredHash, password: Buffer): Promise<boolean> {
    const checked = this.queue.run(async () => await hash.fits(password));
    return checked ?? Promise.reject(new Outage('too many passwords are waiting to be checked'));
  }
}
