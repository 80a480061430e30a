/** All listeners of a broker: opened together or not at all, reloaded together or not at all. */
import type { WriteScheduler } from '../transport/mod.ts';
import { Admission } from './admission.ts';
import { Listener, type Shared } from './listener.ts';
import { ListenerError, type ListenerOptions, type ListenerSetOptions, type TlsOptions } from './options.ts';
import type { LoadedTls } from './tls-context.ts';

export class ListenerSet {
  private readonly shared: Shared;
  private listeners: Listener[] = [];

  constructor(options: ListenerSetOptions, scheduler: WriteScheduler) {
    const admission = new Admission(options.limits, options.meter, options.pendingConnects);
    this.shared = { options, scheduler, admission };
  }

  /** Sockets open now, those in a handshake included. */
  get connections(): number {
    return this.shared.admission.open;
  }

  /** In the order of the configuration. */
  get opened(): readonly Listener[] {
    return this.listeners;
  }

  /** Rejects with a ListenerError, and then nothing is left open. */
  async open(settings: readonly ListenerOptions[]): Promise<void> {
    this.listeners = settings.map(one => new Listener(this.shared, one));
    try {
      for (const listener of this.listeners) await listener.open();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Takes over new rules, certificates, CAs and CRLs, listener by listener in the same order as they were opened.
   * Nobody is cut. False when a file is bad: it has been logged, every listener keeps its old TLS state,
   * and only the other rules are the new ones.
   */
  reload(settings: readonly ListenerOptions[]): boolean {
    if (settings.length !== this.listeners.length)
      throw new RangeError('listeners cannot be added or removed on reload');
    const loaded: (LoadedTls | null)[] = [];
    for (const [i, listener] of this.listeners.entries()) {
      const next = listener.tryLoad(settings[i]!);
      if (next instanceof ListenerError) return this.keepOld(next, settings, settings[i]!.tls!);
      loaded.push(next);
    }
    for (const [i, listener] of this.listeners.entries()) listener.replace(settings[i]!, loaded[i]!);
    return true;
  }

  /** Stops accepting. Links already handed over live on. */
  async close(): Promise<void> {
    await Promise.all(this.listeners.map(listener => listener.close()));
    this.listeners = [];
  }

  /** The old certificates stay, and with them who is asked for one; every other rule is the new one. */
  private keepOld(error: ListenerError, settings: readonly ListenerOptions[], tls: TlsOptions): false {
    for (const [i, listener] of this.listeners.entries()) {
      const { requireCertificate, requestCertificate } = listener.rules;
      const rules = { ...settings[i]!.rules, requireCertificate, requestCertificate };
      listener.replace({ ...settings[i]!, rules, tls: listener.settings.tls }, listener.tls);
    }
    const { log } = this.shared.options;
    const pair = tls.certificates[0];
    for (const line of error.lines) log.write('error', line, 'listener.certificate-reload');
    if (pair !== undefined) {
      log.write(
        'error',
        `Error when reloading certificate '${pair.certFile}' or key '${pair.keyFile}'.`,
        'listener.certificate-reload',
      );
    }
    log.write(
      'error',
      'The listeners keep their previous certificates, CAs and revocation lists until the next reload.',
      'listener.certificate-kept',
    );
    return false;
  }
}
