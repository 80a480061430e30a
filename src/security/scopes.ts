/**
 * Which files speak for which listener, and their contents once read.
 *
 *   SecurityScopes (paths, from the configuration)  ->  Scopes (rules, ready to be asked)
 *
 * A file that several listeners name is read once. Reading stops at the first bad file, and nothing is kept then.
 */
import type { ListenerRules } from '../broker/ports.ts';
import { AclFile, type AclRules, loadAclFile } from './acl-file.ts';
import type { Authenticator, Authorizer, DynamicRules, UserSource, UserSources } from './authenticator.ts';
import type { UserBackendSettings } from './database/settings.ts';
import type { HashQueue } from './hash-queue.ts';
import { loadPasswordFile, type PasswordEntries, PasswordFile } from './password-file.ts';
import { loadPskFile, type PskEntries } from './psk-file.ts';
import type { FileFailure, Loaded } from './secret-file.ts';

/** The security files of the configuration, or of one listener with `per_listener_settings true`. */
export interface SecurityScope {
  passwordFile: string | null;
  aclFile: string | null;
  pskFile: string | null;
  /** In the order in which they are asked. */
  backends?: readonly UserBackendSettings[];
  /** When dynamic security is asked here; absent or null where it is not. */
  dynamicSecurity?: { beforePasswords: boolean; beforeAcl: boolean } | null;
}

/** The scope of each listener, one object for all or one for each; a listener without a scope is open to nobody. */
export type SecurityScopes = ReadonlyMap<ListenerRules, SecurityScope>;

export interface Scope {
  authenticators: readonly Authenticator[];
  authorizers: readonly Authorizer[];
  backends: readonly UserSource[];
  psk: PskEntries | null;
  /** Verifiers for SCRAM are looked for here; null for nowhere. */
  scram: PasswordEntries | null;
  /** For what is bound to certificates, and for trying other rules in its place. */
  acl: AclFile | null;
  /** For carrying over what was proved; see PasswordFile. */
  passwords: { path: string; entries: PasswordEntries } | null;
}

export type Scopes = ReadonlyMap<ListenerRules, Scope>;

export interface Surroundings {
  before: Scopes;
  queue: HashQueue;
  authenticators: readonly Authenticator[];
  authorizers: readonly Authorizer[];
  dynamicSecurity: DynamicRules | null;
  backends: UserSources | null;
  notice: (text: string) => void;
}

/** Carries a failure out of the depth of one reload, never further. */
class Refused extends Error {
  readonly failure: FileFailure;

  constructor(failure: FileFailure) {
    super(failure.lines[0]);
    this.failure = failure;
  }
}

export function loadScopes(wanted: SecurityScopes, around: Surroundings): Loaded<Scopes> {
  const loader = new Loader(around);
  try {
    const value = new Map([...wanted].map(([listener, scope]) => [listener, loader.scope(scope)]));
    return { ok: true, value, warnings: loader.warnings };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, failure: error.failure };
    throw error;
  }
}

type DynamicSecurityTurn = NonNullable<SecurityScope['dynamicSecurity']> | null;

class Loader {
  readonly warnings: string[] = [];
  private readonly around: Surroundings;
  private readonly passwordFiles = new Map<string, PasswordFile>();
  private readonly aclFiles = new Map<string, AclFile>();
  private readonly pskFiles = new Map<string, PskEntries>();

  constructor(around: Surroundings) {
    this.around = around;
  }

  scope({ passwordFile, aclFile, pskFile, dynamicSecurity = null, backends: wanted = [] }: SecurityScope): Scope {
    const backends = this.around.backends?.of(wanted) ?? [];
    const passwords = passwordFile === null ? null : this.passwordFile(passwordFile);
    const acl = aclFile === null ? null : this.aclFile(aclFile);
    return {
      authenticators: [
        ...this.around.authenticators,
        ...this.logins(passwords, dynamicSecurity, backends.length === 0),
        ...backends,
      ],
      // An acl_file has the last word, so it comes last.
      authorizers: [
        ...this.around.authorizers,
        ...backends.filter(({ hasRules }) => hasRules),
        ...this.rules(acl, dynamicSecurity),
      ],
      backends,
      acl,
      // What dynamic security has to say of a user comes first, and it knows no SCRAM.
      scram: dynamicSecurity?.beforePasswords === true ? null : (passwords?.entries ?? null),
      psk: pskFile === null ? null : once(this.pskFiles, pskFile, path => this.read(loadPskFile(path))),
      passwords:
        passwords === null || passwordFile === null ? null : { path: passwordFile, entries: passwords.entries },
    };
  }

  /** `last`: nobody is asked after these. */
  private logins(passwords: PasswordFile | null, turn: DynamicSecurityTurn, last: boolean): Authenticator[] {
    const dynamic = turn === null ? null : this.around.dynamicSecurity;
    const file = passwords === null || last ? passwords : leavingUnknown(passwords);
    if (dynamic === null || turn === null) return file === null ? [] : [file];
    if (file === null) return [dynamic.login(last)];
    return turn.beforePasswords ? [dynamic.login(false), file] : [file, dynamic.login(last)];
  }

  private rules(acl: AclFile | null, turn: DynamicSecurityTurn): Authorizer[] {
    const dynamic = turn === null ? null : this.around.dynamicSecurity;
    if (dynamic === null || turn === null) return acl === null ? [] : [acl];
    if (acl === null) return [dynamic.rules];
    return turn.beforeAcl ? [dynamic.rules, acl] : [acl, dynamic.rules];
  }

  private passwordFile(path: string): PasswordFile {
    return once(this.passwordFiles, path, () => {
      const entries: PasswordEntries = this.read(loadPasswordFile(path));
      return new PasswordFile(entries, this.around.queue, this.entriesBefore(path));
    });
  }

  private aclFile(path: string): AclFile {
    return once(this.aclFiles, path, () => {
      const rules: AclRules = this.read(loadAclFile(path));
      return new AclFile(rules, this.around.notice);
    });
  }

  private read<T>(loaded: Loaded<T>): T {
    if (!loaded.ok) throw new Refused(loaded.failure);
    this.warnings.push(...loaded.warnings);
    return loaded.value;
  }

  private entriesBefore(path: string): PasswordEntries | undefined {
    for (const { passwords } of this.around.before.values()) {
      if (passwords?.path === path) return passwords.entries;
    }
    return undefined;
  }
}

/** A password file that is not the last to be asked leaves the names that it does not know to the others. */
function leavingUnknown(passwords: PasswordFile): Authenticator {
  return {
    authenticate: request => {
      const isUnknown = request.username !== null && !passwords.entries.has(request.username);
      return isUnknown ? 'defer' : passwords.authenticate(request);
    },
  };
}

function once<T>(made: Map<string, T>, path: string, make: (path: string) => T): T {
  let it = made.get(path);
  if (it === undefined) made.set(path, (it = make(path)));
  return it;
}
