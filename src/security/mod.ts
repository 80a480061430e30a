/** Who are you, and may you. Knows no packets and no sockets. */
export {
  type AccessControlOptions,
  type AccessControlResult,
  attemptText,
  ConfiguredAccessControl,
  createAccessControl,
  type DevicePolicy,
} from './access-control.ts';
export type {
  Access,
  Answer,
  AuthenticationAnswer,
  Authenticator,
  Authorizer,
  DynamicRules,
  EnhancedMethod,
  Reasons,
  UserSource,
  UserSources,
} from './authenticator.ts';
export type { UserBackendSettings } from './database/settings.ts';
export { type ControlReply, controlResponse, readControlRequest } from './control-protocol.ts';
export { certificateLine, devicesBegin, devicesEnd } from './certificate-identity.ts';
export { type AclFile, plannedAclFile } from './acl-file.ts';
export type { Quarantined } from './quarantine.ts';
export { HashQueue } from './hash-queue.ts';
export { hashPassword, type HashKind } from './password-hash.ts';
export {
  applyUpgrade,
  planUpgrade,
  type PlainLine,
  removeUser,
  setUser,
  type Upgrade,
  userNameProblem,
} from './password-file-edit.ts';
export type { SecurityScope, SecurityScopes } from './scopes.ts';
export type { FileFailure } from './secret-file.ts';
