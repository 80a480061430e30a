/** Enrolment over HTTPS: EST (RFC 7030), as any CA that speaks it understands. */
import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { tlsSettings, type TlsOptions } from '../../client/mod.ts';
import { readCertsOnly } from '../../pki/mod.ts';
import type { Counter, Door, Issued } from './door.ts';
import { EnrolFault } from './fault.ts';

const ROOT = '/.well-known/est';
const timeoutMs = 30_000;
/** A dozen certificates. */
const answerBytesMax = 262_144;

export const overEst: Door = {
  async enrol(counter, name, token, request) {
    const authorization = `Basic ${Buffer.from(`${name}:${token}`).toString('base64')}`;
    return issued(counter, {}, '/simpleenroll', request, { authorization });
  },
  renew: (counter, { certificate, key }, request) =>
    issued(counter, { cert: certificate, key }, '/simplereenroll', request, {}),
};

async function issued(
  counter: Counter,
  shown: Pick<TlsOptions, 'cert' | 'key'>,
  path: string,
  request: Buffer,
  headers: Record<string, string>,
): Promise<Issued> {
  const answer = await send({ ...counter, tls: { ...counter.tls, ...shown } }, path, request, headers);
  const own = await readCertsOnly(answer, `${counter.host}${path}`);
  const authorities = await authoritiesOf(counter);
  const roots = authorities.filter(each => each.checkIssued(each));
  const between = [...own.slice(1), ...authorities].filter(each => !each.checkIssued(each));
  const chain = [own[0], ...between].filter(each => each !== undefined);
  return { certificate: texts(chain), ca: texts(roots) };
}

const texts = (certificates: readonly X509Certificate[]): string =>
  [...new Set(certificates.map(each => each.toString()))].join('');

/** What the server says its CA is. Over a connection without trust it is a claim, to be held against a fingerprint. */
export async function authoritiesOf(counter: Endpoint): Promise<X509Certificate[]> {
  return readCertsOnly(await send(counter, '/cacerts', null, {}), `${counter.host}${ROOT}/cacerts`);
}

interface Endpoint {
  host: string;
  port: number;
  tls: TlsOptions;
}

async function send(
  endpoint: Endpoint,
  path: string,
  body: Buffer | null,
  headers: Record<string, string>,
): Promise<Buffer> {
  const response = await exchange(endpoint, `${ROOT}${path}`, body, headers);
  const text = await textOf(response, endpoint);
  if (response.statusCode === 200) return Buffer.from(text, 'base64');
  throw refused(endpoint, response.statusCode ?? 0, text);
}

async function exchange(
  { host, port, tls }: Endpoint,
  path: string,
  body: Buffer | null,
  headers: Record<string, string>,
): Promise<IncomingMessage> {
  const { request } = await import('node:https');
  const settings = await tlsSettings({ ...tls, alpn: 'http/1.1' });
  const secret = body === null ? {} : { 'content-type': 'application/pkcs10', 'content-transfer-encoding': 'base64' };
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...settings,
        rejectUnauthorized: tls.insecure !== true,
        host,
        port,
        path,
        method: body === null ? 'GET' : 'POST',
        headers: { ...secret, ...headers, connection: 'close' },
        agent: false,
        timeout: timeoutMs,
      },
      resolve,
    );
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    sent.on('error', error => reject(notReached(host, port, error)));
    sent.end(body === null ? undefined : body.toString('base64'));
  });
}

async function textOf(response: IncomingMessage, { host, port }: Endpoint): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      if ((length += chunk.length) > answerBytesMax) throw new Error('the answer is too long for certificates');
    }
  } catch (error) {
    throw notReached(host, port, error as Error);
  }
  return Buffer.concat(chunks).toString('latin1');
}

function notReached(host: string, port: number, error: Error): EnrolFault {
  return new EnrolFault(
    `${host}:${port} was not reached by HTTPS: ${error.message}.`,
    `zancudo doctor --connect ${host}:${port} looks at its certificate; --via mqtt goes the other way.`,
  );
}

function refused({ host, port }: Endpoint, status: number, text: string): EnrolFault {
  const line = text.split('\n', 1)[0] ?? '';
  // Only what is plain text is worth showing.
  const said = /^[\x20-\x7e]{1,200}\r?$/.test(line) ? `: ${line.trim()}` : '';
  if (status === 404) return new EnrolFault(`${host}:${port} does not offer EST.`, 'Try --via mqtt.');
  return new EnrolFault(`${host}:${port} gave no certificate (HTTP ${status})${said}`);
}
