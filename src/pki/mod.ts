/** Our own certificate authority, and what certificates say. Knows nothing of brokers, terminals or HTTP. */
export { type CertificateHome, ensureCertificates, type HomeRequest } from './certificate-home.ts';
export { type ClientRules, type ClientVerdict, verdictOnClientCertificate } from './client-verdict.ts';
export { type CrlFile, readCrls, type RevocationList } from './crl.ts';
export { type CertificateFacts, certificatesOf, factsOf, type SubjectAltName } from './inspect.ts';
export { type CertificateRequest, issue, type Issuer } from './issue.ts';
export { type ClientTrust, judgeClient } from './judge.ts';
export { diskStore, type FileStore, readIfThere, sweep } from './key-store.ts';
export { withLock } from './lock.ts';
export { machineNames, type MachineNames } from './machine-names.ts';
export { shellWord } from './openssl-commands.ts';
export { PkiError } from './pki-error.ts';
export { type ServerPair, serverPairs } from './server-certificates.ts';
export { verdictOfOpenSsl } from './verify-errors.ts';
export { checkServer, explainTlsFiles, type ExplainRequest, type TlsFiles } from './explain.ts';
export { type AccessQuestion, explainAccess, type Reader, readerNamed } from './explain-access.ts';
export { mendedExtensionFile } from './explain-extensions.ts';
export { type CertificateLimits, objectionsTo } from './device-limits.ts';
export { explainCertificateFiles } from './explain-folder.ts';
export { loadErrorOf } from './load-error.ts';
export { authorityFiles, certificatesOfAuthority, hasAuthority } from './authority.ts';
export { objectionToStaple } from './ocsp.ts';
export { isEncrypted, readForeignCa, type ForeignCaFiles } from './foreign-ca.ts';
export { keyPem, makeKey, readKey, type KeyKind } from './keys.ts';
export { pem } from './pem.ts';
export { writePkcs12 } from './pkcs12.ts';
export { profiles, type ClientProfileName } from './profiles.ts';
export { writeRequest } from './write-request.ts';
export { readRequest, type SigningRequest } from './request.ts';
export { adoptRoot, rollOver, settleRoot, type RootChange } from './registry/change-root.ts';
export { readSeen, seenFile } from './registry/seen.ts';
export { diskRegistryStore, type RegistryStore } from './registry/journal.ts';
export {
  certificateOf,
  liveCertificates,
  stateOf,
  stateOfInvite,
  type CertificateState,
  type Invite,
  type InviteState,
  type IssuedCertificate,
  type Ledger,
  type RegisteredIdentity,
} from './registry/ledger.ts';
export {
  checkName,
  readLedger,
  withRegistry,
  type ClientRequest,
  type Registry,
  type RegistryHome,
} from './registry/registry.ts';
export { daysText, timeText } from './time-text.ts';
export { expiriesOf, expiriesOfDevices, type Expiry } from './expiry.ts';
export { createInvite, inviteValidMs, type InviteWish, type NewInvite, withdrawInvites } from './enrolment/invites.ts';
export { leaveParcel, lookAtParcel, type Parcel, sweepParcels, takeParcel } from './enrolment/parcel.ts';
export { certsOnly } from './certs-only.ts';
export { readCertsOnly } from './read-certs-only.ts';
export { type Applicant, type Enrolled, EnrolmentOffice, type OfficeOptions } from './enrolment/office.ts';
export { EnrolmentRefusal, type RefusalCode } from './enrolment/refusal.ts';
export { isTokenText } from './enrolment/token.ts';
export type { Standing } from './enrolment/renewal.ts';
