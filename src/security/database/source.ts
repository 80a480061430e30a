/** What a kind of backend brings; everything around it (time, number, cache, rules in force) is the same for all. */
import type { LoginAnswer } from './answers.ts';
import type { RightsRows } from './rights.ts';

/** Who is asked about. Every part of it is the client's own invention until a login has proved it. */
export interface Subject {
  username: string;
  clientId: string;
  address: string;
}

export interface LoginResult {
  answer: LoginAnswer;
  /** Rights that came with the proof itself, such as the claims of a token. */
  rights?: RightsRows;
  /** Goes into the log behind "wrong password"; never a secret. */
  because?: string;
}

export interface Source {
  /** What its answers depend on beside the user name. */
  readonly usesClientId: boolean;
  readonly usesAddress: boolean;
  /** `asked`: of the backend itself; `with login`: see LoginResult; `none`: it says nothing about topics. */
  readonly rules: 'asked' | 'with login' | 'none';
  /**
   * For one whose rules cannot be listed: may it, asked for this topic. `rights` then says who is a superuser, and no
   * rules.
   */
  readonly mayTopic?: (who: Subject, access: 'read' | 'write' | 'subscribe', topic: string) => Promise<boolean>;
  /** These reject with an Outage when nobody could be asked, with an Answered when the backend did not like the question. */
  login(who: Subject, password: Buffer): Promise<LoginResult>;
  rights(who: Subject): Promise<RightsRows>;
  close(): Promise<void>;
}
