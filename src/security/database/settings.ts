/** What one `auth_backend` section of the configuration says, every default filled in. */

export type BackendKind = 'postgresql' | 'mysql' | 'sqlite' | 'redis' | 'http' | 'jwt' | 'ldap';

/** How the salt stands in a PBKDF2 hash of mosquitto-go-auth and mosquitto-auth-plug. */
export type SaltEncoding = 'base64' | 'utf-8';

export interface UserBackendSettings {
  readonly kind: BackendKind;
  /** As log lines and metrics call it. */
  readonly name: string;
  /** Where it stands, `FILE:LINE`. */
  readonly where: string;
  readonly host: string | null;
  readonly port: number | null;
  /** Path of a Unix socket, in the place of host and port. */
  readonly socket: string | null;
  /** Of SQLite. */
  readonly file: string | null;
  readonly database: string | null;
  readonly username: string | null;
  /** Its first line is the password. */
  readonly passwordFile: string | null;
  readonly tls: boolean;
  readonly cafile: string | null;
  readonly certfile: string | null;
  readonly keyfile: string | null;
  readonly userQuery: string | null;
  readonly superuserQuery: string | null;
  readonly aclQuery: string | null;
  /** Of LDAP; the three below it of HTTP. */
  readonly url: string | null;
  readonly userUrl: string | null;
  readonly superuserUrl: string | null;
  readonly aclUrl: string | null;
  readonly params: 'json' | 'form';
  readonly response: 'status' | 'json' | 'text';
  /** What the service answers with: all rules of a user, or yes and no for one topic. */
  readonly aclAnswers: 'rules' | 'topic';
  readonly jwksUrl: string | null;
  readonly keyFile: string | null;
  readonly issuer: string | null;
  readonly audience: string | null;
  readonly clockSkewSeconds: number;
  readonly usernameClaim: string;
  readonly aclClaim: string | null;
  readonly keyPrefix: string | null;
  readonly userBase: string | null;
  readonly userFilter: string | null;
  readonly superuserFilter: string | null;
  readonly nameAttribute: string;
  readonly groupBase: string | null;
  readonly groupFilter: string;
  readonly topicAttribute: string;
  readonly accessAttribute: string;
  readonly saltEncoding: SaltEncoding;
  /** Of one call, waiting for its turn included. */
  readonly timeoutSeconds: number;
  /** Calls at the same time. */
  readonly connectionsMax: number;
  /** Calls that wait for their turn. */
  readonly waitingMax: number;
  /** Lifetime of an answer. */
  readonly cacheSeconds: number;
  /** Lifetime of a refusal. */
  readonly cacheRefusalSeconds: number;
  /** Logins that are remembered. */
  readonly cacheSize: number;
  /** How long the rules of those who are connected outlive a backend that does not answer. */
  readonly staleSeconds: number;
}
