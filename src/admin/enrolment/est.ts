/**
 * Enrollment over Secure Transport (RFC 7030; RFC 8951 where it says it better), as far as devices use it:
 *
 *   GET  cacerts          the CAs, root first                                        4.1
 *   POST simpleenroll     token (Basic or Bearer) and request -> certificate         4.2.1
 *   POST simplereenroll   certificate of before, in TLS, and request -> certificate  4.2.2
 *   GET  csrattrs         204: nothing has to be in the request                      4.5
 *
 * Answers are base64 of DER, as the RFC wants them, or PEM for who asks for it by `Accept`. Requests are taken in base64,
 * PEM and DER.
 */
import { certificatesOfAuthority, certsOnly, type Enrolled, EnrolmentRefusal } from '../../pki/mod.ts';
import type { Route, Visit } from './visit.ts';

const est = (operation: string): RegExp => new RegExp(`^/\\.well-known/est/${operation}/?$`);

export const estRoutes: readonly Route[] = [
  { path: est('cacerts'), methods: { GET: caCertificates } },
  { path: est('csrattrs'), methods: { GET: visit => visit.send(204, '', {}) } },
  { path: est('simpleenroll'), methods: { POST: simpleEnroll } },
  { path: est('simplereenroll'), methods: { POST: simpleReenroll } },
  { path: /^\/ca\.crt$/, methods: { GET: caFile } },
];

function caCertificates(visit: Visit): void {
  const certificates = certificatesOfAuthority(visit.options.folder);
  if (certificates.length === 0) return visit.refuse(noAuthority());
  sendCertificates(visit, certsOnly(certificates), 'application/pkcs7-mime');
}

/** The root alone, in the form that phones open and `--cacert` takes. */
function caFile(visit: Visit): void {
  const [root] = certificatesOfAuthority(visit.options.folder);
  if (root === undefined) return visit.refuse(noAuthority());
  visit.send(200, root.toString(), {
    'content-type': 'application/x-x509-ca-cert',
    'content-disposition': 'attachment; filename="ca.crt"',
  });
}

async function simpleEnroll(visit: Visit): Promise<void> {
  const token = visit.token();
  // Many clients show what they have only when they are asked; that is no failure.
  if (token === null) {
    return visit.text(401, 'bring the token of your invitation: as the password, or as a bearer token\n', {
      'www-authenticate': 'Basic realm="enrolment", charset="UTF-8"',
    });
  }
  const request = await requestOf(visit);
  if (request === null) return;
  answer(visit, 'has a certificate', await visit.options.office.redeem(token, request, visit.applicant));
}

async function simpleReenroll(visit: Visit): Promise<void> {
  const { certificate } = visit;
  if (certificate === null) {
    return visit.refuse(
      new EnrolmentRefusal('certificate-missing', 'show the certificate that is to be renewed, in the TLS handshake'),
    );
  }
  const request = await requestOf(visit);
  if (request === null) return;
  answer(visit, 'has renewed its certificate', await visit.options.office.renew(certificate, request, visit.applicant));
}

/** Not of the RFC: for small devices, whose libraries read PEM and no PKCS #7. */
const pemFile = 'application/x-pem-file';

function answer(visit: Visit, what: string, enrolled: Enrolled | EnrolmentRefusal): void {
  if (enrolled instanceof EnrolmentRefusal) return visit.refuse(enrolled);
  const { name, certificate, chain } = enrolled;
  visit.note(`${name} ${what}, until ${certificate.validToDate.toISOString().slice(0, 10)}.`);
  if (visit.request.headers.accept?.includes(pemFile) === true) {
    const text = [certificate, ...chain].map(each => each.toString()).join('');
    return visit.send(200, text, { 'content-type': pemFile });
  }
  // 4.2.3: only the certificate that was issued.
  sendCertificates(visit, certsOnly([certificate]), 'application/pkcs7-mime; smime-type=certs-only');
}

function sendCertificates(visit: Visit, der: Buffer, type: string): void {
  const body = der.toString('base64').replace(/.{1,64}/g, '$&\r\n');
  visit.send(200, body, { 'content-type': type, 'content-transfer-encoding': 'base64' });
}

const pkcs10 = 'application/pkcs10';

/** PKCS #10 as it came: DER, PEM or base64 of DER. Null when the answer has been given. */
async function requestOf(visit: Visit): Promise<Buffer | null> {
  const [type = ''] = (visit.request.headers['content-type'] ?? '').split(';');
  if (type.trim().toLowerCase() !== pkcs10) {
    visit.text(415, `a certificate request of type ${pkcs10} is wanted: curl -H 'Content-Type: ${pkcs10}' --data-binary @FILE\n`); // prettier-ignore
    return null;
  }
  const body = await visit.body();
  if (body === null) return null;
  const isBase64 = /^[A-Za-z0-9+/=\s]+$/.test(body.toString('latin1'));
  return isBase64 ? Buffer.from(body.toString('latin1'), 'base64') : body;
}

function noAuthority(): EnrolmentRefusal {
  return new EnrolmentRefusal('unavailable', 'there is no CA here', 'there is no CA in ca_home: zancudo ca init');
}
