/** One `auth_backend` section: where users and their rules come from besides the files. */
import type { Place, Places } from './settings.ts';

export type AuthBackendKind = 'postgresql' | 'mysql' | 'sqlite' | 'redis' | 'http' | 'jwt' | 'ldap';

export interface AuthBackendSettings {
  kind: AuthBackendKind;
  /** As log lines and metrics call it. */
  name: string;
  host: string | null;
  port: number | null;
  socket: string | null;
  file: string | null;
  database: string | null;
  username: string | null;
  passwordFile: string | null;
  tls: boolean;
  cafile: string | null;
  certfile: string | null;
  keyfile: string | null;
  userQuery: string | null;
  superuserQuery: string | null;
  aclQuery: string | null;
  url: string | null;
  userUrl: string | null;
  superuserUrl: string | null;
  aclUrl: string | null;
  params: 'json' | 'form';
  response: 'status' | 'json' | 'text';
  aclAnswers: 'rules' | 'topic';
  jwksUrl: string | null;
  keyFile: string | null;
  issuer: string | null;
  audience: string | null;
  clockSkewSeconds: number;
  usernameClaim: string;
  aclClaim: string | null;
  keyPrefix: string | null;
  userBase: string | null;
  userFilter: string | null;
  superuserFilter: string | null;
  nameAttribute: string;
  groupBase: string | null;
  groupFilter: string;
  topicAttribute: string;
  accessAttribute: string;
  saltEncoding: 'base64' | 'utf-8';
  timeoutSeconds: number;
  connectionsMax: number;
  waitingMax: number;
  cacheSeconds: number;
  cacheRefusalSeconds: number;
  cacheSize: number;
  staleSeconds: number;
  place: Place;
  places: Places;
}

export function newAuthBackend(kind: AuthBackendKind, name: string, place: Place): AuthBackendSettings {
  return {
    kind,
    name,
    host: null,
    port: null,
    socket: null,
    file: null,
    database: null,
    username: null,
    passwordFile: null,
    tls: false,
    cafile: null,
    certfile: null,
    keyfile: null,
    userQuery: null,
    superuserQuery: null,
    aclQuery: null,
    url: null,
    userUrl: null,
    superuserUrl: null,
    aclUrl: null,
    params: 'json',
    response: 'status',
    aclAnswers: 'rules',
    jwksUrl: null,
    keyFile: null,
    issuer: null,
    audience: null,
    clockSkewSeconds: 0,
    usernameClaim: 'sub',
    aclClaim: null,
    keyPrefix: null,
    userBase: null,
    userFilter: null,
    superuserFilter: null,
    nameAttribute: 'uid',
    groupBase: null,
    groupFilter: '(member=:dn)',
    topicAttribute: 'mqttTopic',
    accessAttribute: 'mqttAccess',
    saltEncoding: 'base64',
    timeoutSeconds: 5,
    connectionsMax: 4,
    waitingMax: 10_000,
    cacheSeconds: 60,
    cacheRefusalSeconds: 10,
    cacheSize: 10_000,
    staleSeconds: 300,
    place,
    places: {},
  };
}
