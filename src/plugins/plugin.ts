/**
 * One plugin that is loaded: every call of its code goes through here, so that nothing it throws gets out.
 *
 *   ask    now         a throw, or a promise where none is allowed: a fault
 *   wait   perhaps     the same, and no answer in time
 *   tell   never waits for it; what is under way is bounded
 */
import type { Log } from '../broker/ports.ts';
import { Faults } from './faults.ts';
import type { LaterAnswers } from './later-answers.ts';
import type { LoadedModule } from './load.ts';
import type { PluginPlan } from './plan.ts';
import type { Plugin } from './types.ts';
import type { HookName, Watchdog } from './watchdog.ts';

/** Events that a plugin has begun to deal with and not finished; beyond it they are not told, and each is a fault. */
const PENDING_MAX = 1000;

/** Stands for an answer that there is not. */
export const FAILED = Symbol('failed');

export interface Surroundings {
  readonly log: Log;
  readonly watchdog: Watchdog;
  readonly now: () => number;
}

export class LoadedPlugin {
  readonly plan: PluginPlan;
  readonly hooks: Plugin;
  readonly module: LoadedModule | null;
  readonly faults: Faults;
  readonly later: LaterAnswers;
  readonly #watchdog: Watchdog;
  readonly #number: number;
  #pending = 0;

  constructor(plan: PluginPlan, hooks: Plugin, module: LoadedModule | null, later: LaterAnswers, around: Surroundings) {
    this.plan = plan;
    this.later = later;
    this.hooks = hooks;
    this.module = module;
    const { faultsMax, whenFaulty } = plan.limits;
    const consequence = whenFaulty === 'refuse' ? 'what it would be asked is refused' : 'it is not asked any more';
    this.faults = new Faults(plan.name, faultsMax, consequence, around.log, around.now);
    this.#watchdog = around.watchdog;
    this.#number = around.watchdog.register(plan.name);
  }

  /** What holds once it has failed too often. */
  get state(): 'asked' | 'refuses' | 'left out' {
    if (!this.faults.tooMany) return 'asked';
    return this.plan.limits.whenFaulty === 'refuse' ? 'refuses' : 'left out';
  }

  /** `so`: what becomes of what was asked when there is no answer; `read` looks at the answer, and throws at a wrong one. */
  ask<T, R>(hook: HookName, so: string, run: (hooks: Plugin) => T, read: (answer: T) => R): R | typeof FAILED {
    this.#watchdog.enter(this.#number, hook);
    try {
      const answer = run(this.hooks);
      if (!isPromise(answer)) return read(answer);
      answer.then(undefined, () => undefined);
      throw new TypeError('it answered with a promise, and this hook has to answer at once');
    } catch (error) {
      this.faults.note(hook, error, so);
      return FAILED;
    } finally {
      this.#watchdog.leave();
    }
  }

  /** The answer, or a promise of it that never rejects. */
  wait<T>(
    hook: HookName,
    so: string,
    run: (hooks: Plugin) => T | Promise<T>,
  ): T | typeof FAILED | Promise<T | typeof FAILED> {
    this.#watchdog.enter(this.#number, hook);
    let answer: T | Promise<T>;
    try {
      answer = run(this.hooks);
    } catch (error) {
      this.faults.note(hook, error, so);
      return FAILED;
    } finally {
      this.#watchdog.leave();
    }
    if (!isPromise(answer)) return answer;
    return this.inTime(answer).catch((error: unknown) => {
      this.faults.note(hook, error, so);
      return FAILED;
    });
  }

  tell(hook: HookName, run: (hooks: Plugin) => void | Promise<void>): void {
    if (this.state !== 'asked') return;
    if (this.#pending >= PENDING_MAX) {
      const text = `${PENDING_MAX} events that it was told of before are not dealt with yet`;
      return this.faults.note(hook, new Error(text), 'this one it is not told');
    }
    const told = this.wait(hook, 'nobody waits for it', run);
    if (!isPromise(told)) return;
    this.#pending++;
    void told.then(() => this.#pending--);
  }

  /** Rejects when `plugin_timeout` is over. */
  inTime<T>(answer: Promise<T>): Promise<T> {
    const { timeoutSeconds } = this.plan.limits;
    return new Promise<T>((resolve, reject) => {
      const late = new Error(`no answer within ${timeoutSeconds} s (plugin_timeout)`);
      const timer = setTimeout(() => reject(late), timeoutSeconds * 1000);
      Promise.resolve(answer)
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    });
  }
}

export function isPromise<T>(answer: T | Promise<T>): answer is Promise<T> {
  return typeof (answer as Promise<T> | null | undefined)?.then === 'function';
}
