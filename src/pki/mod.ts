/** Our own certificate authority, and what certificates say. Knows nothing of brokers, terminals or HTTP. */
export { type ClientRules, type ClientVerdict, verdictOnClientCertificate } from './client-verdict.ts';
export { type CrlFile, readCrls, type RevocationList } from './crl.ts';
export { type CertificateFacts, certificatesOf, factsOf, type SubjectAltName } from './inspect.ts';
export { type CertificateRequest, issue, type Issuer } from './issue.ts';
export { PkiError } from './pki-error.ts';
export { verdictOfOpenSsl } from './verify-errors.ts';
