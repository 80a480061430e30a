/**
 * Why somebody gets no certificate. An answer, not an exception: most of them are devices with a token of yesterday.
 * The code is stable: HTTP and MQTT say the same in their own ways.
 */
export type RefusalCode =
  | 'token-unknown'
  | 'token-used'
  | 'token-expired'
  | 'token-withdrawn'
  | 'address-not-allowed'
  | 'request-refused'
  | 'name-taken'
  | 'certificate-missing'
  | 'certificate-unknown'
  | 'certificate-revoked'
  | 'certificate-expired'
  | 'too-many'
  | 'unavailable';

export class EnrolmentRefusal {
  readonly code: RefusalCode;
  /** For the peer: nothing in it that it does not know already. */
  readonly reason: string;
  /** For the operator, with the remedy. */
  readonly log: string;
  /** Null when trying again later does not help. */
  readonly retryAfterSeconds: number | null;

  constructor(code: RefusalCode, reason: string, log = reason, retryAfterSeconds: number | null = null) {
    this.code = code;
    this.reason = reason;
    this.log = log;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
