/** One request at the door: who asks, what was sent, and the ways to answer. */
import type { LogCode } from '../../base/mod.ts';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Peer } from '../../broker/ports.ts';
import type { Applicant, EnrolmentRefusal, RefusalCode } from '../../pki/mod.ts';
import type { DoorOptions } from './door.ts';

export interface Route {
  path: RegExp;
  methods: Record<string, (visit: Visit) => void | Promise<void>>;
}

/** A request for a certificate is 500 bytes, 1,200 with RSA-4096, a third more in base64. */
const bodyBytesMax = 65_536;

const statusOf: Record<RefusalCode, number> = {
  'token-unknown': 401,
  'token-used': 401,
  'token-expired': 401,
  'token-withdrawn': 401,
  'address-not-allowed': 403,
  'request-refused': 400,
  'name-taken': 403,
  'certificate-missing': 403,
  'certificate-unknown': 403,
  'certificate-revoked': 403,
  'certificate-expired': 403,
  'too-many': 429,
  unavailable: 503,
};

/** Nothing that is answered here is for a cache, a search engine or another page. */
const everyAnswer: OutgoingHttpHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'", // prettier-ignore
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex, nofollow',
};

export class Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly peer: Peer;
  /** DER of the certificate whose key the visitor has; null when none was shown. */
  readonly certificate: Buffer | null;
  readonly options: DoorOptions;
  readonly path: string;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    peer: Peer,
    certificate: Buffer | null,
    options: DoorOptions,
  ) {
    this.request = request;
    this.response = response;
    this.peer = peer;
    this.certificate = certificate;
    this.options = options;
    this.path = (request.url ?? '').split('?', 1)[0] ?? '';
  }

  get applicant(): Applicant {
    return { address: this.peer.address, now: this.options.wall() };
  }

  /** Null when it is too long; the answer has been given then. */
  async body(): Promise<Buffer | null> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of this.request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > bodyBytesMax) {
        this.text(413, `no more than ${bodyBytesMax} bytes\n`, { connection: 'close' });
        return null;
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** User name and password, or the bearer token, of the Authorization header; null without a usable one. */
  token(): string | null {
    const [scheme = '', credentials = ''] = (this.request.headers.authorization ?? '').split(/ +/);
    if (/^bearer$/i.test(scheme)) return credentials;
    if (!/^basic$/i.test(scheme)) return null;
    const pair = Buffer.from(credentials, 'base64').toString();
    const colon = pair.indexOf(':');
    return colon < 0 ? null : pair.slice(colon + 1);
  }

  text(status: number, text: string, headers: OutgoingHttpHeaders = {}): void {
    this.send(status, text, { 'content-type': 'text/plain; charset=utf-8', ...headers });
  }

  send(status: number, body: string | Buffer, headers: OutgoingHttpHeaders): void {
    // RFC 9110, 8.6: none with 204.
    const length = status === 204 ? {} : { 'content-length': Buffer.byteLength(body) };
    this.response.writeHead(status, { ...everyAnswer, ...length, ...headers });
    this.response.end(this.request.method === 'HEAD' ? undefined : body);
  }

  /** Tells the visitor why not, and the operator a little more. */
  refuse({ code, reason, log, retryAfterSeconds }: EnrolmentRefusal): void {
    const status = statusOf[code];
    this.noteRefusal(code, log);
    this.text(status, `${reason}\n`, {
      ...(status === 401 ? { 'www-authenticate': 'Basic realm="enrolment", charset="UTF-8"' } : {}),
      ...(retryAfterSeconds === null ? {} : { 'retry-after': String(Math.ceil(retryAfterSeconds)) }),
    });
  }

  noteRefusal(code: RefusalCode, log: string): void {
    const { refusals } = this.options.meter;
    const cause = `enrolment ${code}`;
    refusals.set(cause, (refusals.get(cause) ?? 0) + 1);
    this.note(`refused: ${log}.`, 'enrolment.refused');
  }

  /** A line for the operator: who, where, what. */
  note(what: string, code: LogCode = 'enrolment.issued'): void {
    const { address, port, listener } = this.peer;
    this.options.log.write('notice', `Enrolment by HTTPS from ${address}:${port} on ${listener.name} ${what}`, {
      code,
      address,
      port,
      listener: listener.name,
    });
  }

  /** A fault of ours costs this request and no more; a visitor who left in the middle is none. */
  fail(error: unknown): void {
    if (this.request.destroyed && !this.request.complete) return;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.options.log.write(
      'error',
      `Error: internal fault while answering ${this.peer.address} by HTTP: ${text}`,
      'broker.fault',
    );
    if (this.response.headersSent) this.response.destroy();
    else this.text(500, 'a fault of the broker; its log has more\n');
  }
}
