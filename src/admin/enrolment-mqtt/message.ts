/**
 * What goes over `$CA/v1/enroll` and `$CA/v1/renew`.
 *
 *   request   { "csr": PEM, "token"?: TEXT }   or the request itself, PEM or DER: what `openssl req -new` writes
 *   answer    { "name", "certificate": PEM, "chain": PEM, "ca": PEM, "expires": ISO 8601 }
 *             { "error": CODE, "reason": TEXT, "retryAfter"?: SECONDS }
 *
 * `certificate` is the device's own, `chain` what it sends behind it, `ca` what it recognises the broker by.
 */
import type { Enrolled, EnrolmentRefusal } from '../../pki/mod.ts';

export interface EnrolmentMessage {
  /** PKCS #10, PEM or DER. */
  request: Uint8Array;
  token: string | null;
}

/** The first byte of every DER certificate request: SEQUENCE. */
const DER_START = 0x30;
const PEM_START = '-----BEGIN';

/** A string is what is wrong with it, for the sender. */
export function readEnrolmentMessage(payload: Buffer): EnrolmentMessage | string {
  if (payload[0] === DER_START || payload.toString('latin1', 0, PEM_START.length) === PEM_START) {
    return { request: payload, token: null };
  }
  // mosquitto_rr 2.0 sends nothing for -f and -s.
  if (payload.length === 0) return 'the payload is empty: it is to be the certificate request';
  const fields = jsonObject(payload);
  if (fields === null) return 'the payload is neither JSON nor a certificate request';
  const { csr, token = null } = fields;
  if (typeof csr !== 'string') return '"csr" is missing: the certificate request in PEM';
  if (token !== null && typeof token !== 'string') return '"token" is no string';
  return { request: Buffer.from(csr), token };
}

function jsonObject(payload: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(payload.toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

export function enrolledText({ name, certificate, chain, root }: Enrolled): string {
  return JSON.stringify({
    name,
    certificate: certificate.toString(),
    chain: chain.map(each => each.toString()).join(''),
    ca: root.toString(),
    expires: new Date(certificate.validTo).toISOString(),
  });
}

export function refusalText({ code, reason, retryAfterSeconds }: EnrolmentRefusal): string {
  return JSON.stringify({
    error: code,
    reason,
    ...(retryAfterSeconds === null ? {} : { retryAfter: retryAfterSeconds }),
  });
}
