/** Dynamic security as a whole: one file, one model, who may log in, who may do what, and the topic to change it by. */
import type { BrokerControl, Log, TopicService } from '../../broker/ports.ts';
import type { Authenticator, Authorizer, DynamicRules } from '../authenticator.ts';
import type { HashQueue } from '../hash-queue.ts';
import { DynamicRulesEngine } from './decision.ts';
import { writeRules } from './file.ts';
import { DynamicLogin } from './login.ts';
import type { Model } from './model.ts';
import { openRules, type RulesLocation } from './open-rules.ts';
import { RulesFile } from './rules-file.ts';
import { DynamicSecurityService } from './service.ts';

export type OpenedDynamicSecurity =
  { ok: true; security: DynamicSecurity } | { ok: false; lines: string[]; exitCode: number };

export async function openDynamicSecurity(
  location: RulesLocation,
  log: Log,
  queue: HashQueue,
): Promise<OpenedDynamicSecurity> {
  const opened = await openRules(location, log);
  if (!opened.ok) return opened;
  const { model, isDamaged } = opened;
  const file = new RulesFile(location.configFile, isDamaged, () => writeRules(model), failed(location.configFile, log));
  return { ok: true, security: new DynamicSecurity(model, file, log, queue) };
}

function failed(file: string, log: Log): (error: unknown) => void {
  return error => {
    log.write('error', `Error saving Dynamic security plugin config: ${(error as Error).message}.`);
    log.write(
      'error',
      `  What has changed holds until the broker stops, and is written to ${file} with the next change.`,
    );
  };
}

export class DynamicSecurity implements DynamicRules {
  readonly rules: Authorizer;
  private readonly model: Model;
  private readonly file: RulesFile;
  private readonly log: Log;
  private readonly queue: HashQueue;

  constructor(model: Model, file: RulesFile, log: Log, queue: HashQueue) {
    this.model = model;
    this.file = file;
    this.log = log;
    this.queue = queue;
    this.rules = new DynamicRulesEngine(model);
  }

  login(last: boolean): Authenticator {
    return new DynamicLogin(this.model, this.queue, last);
  }

  service(control: BrokerControl, changed: () => void): TopicService {
    const { model, log, queue, file } = this;
    return new DynamicSecurityService({ model, log, queue, control, changed, save: () => file.save() });
  }

  /** Once nothing waits to be written. */
  close(): Promise<void> {
    return this.file.settled();
  }
}
