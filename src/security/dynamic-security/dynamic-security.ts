/** Dynamic security as a whole: one file, one model, who may log in, who may do what, and the topic to change it by. */
import { readFileSync } from 'node:fs';
import type { BrokerControl, Log, TopicService } from '../../broker/ports.ts';
import type { Authenticator, Authorizer, DynamicRules } from '../authenticator.ts';
import type { HashQueue } from '../hash-queue.ts';
import { DynamicRulesEngine } from './decision.ts';
import { readRules, writeRules } from './file.ts';
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
    log.write('error', `Error saving Dynamic security plugin config: ${(error as Error).message}.`, {
      code: 'dynsec.not-saved',
      file,
    });
    log.write(
      'error',
      `  What has changed holds until the broker stops, and is written to ${file} with the next change.`,
      'dynsec.not-saved',
    );
  };
}

/** As a broker decides that starts on this file now; a string is why it cannot be read. Nothing is written. */
export function rulesOfFile(configFile: string, queue: HashQueue): DynamicRules | string {
  try {
    const model = readRules(readFileSync(configFile, 'utf8'));
    if (model === null) return `${configFile} is not valid JSON`;
    return { login: last => new DynamicLogin(model, queue, last), rules: new DynamicRulesEngine(model) };
  } catch (error) {
    return `${configFile} cannot be read: ${(error as Error).message}`;
  }
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
