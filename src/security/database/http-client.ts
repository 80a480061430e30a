/** Short requests to one service over kept connections, with a bound on the answer. */
import http from 'node:http';
import https from 'node:https';
import type { TlsFiles } from './connection.ts';

export interface HttpAnswer {
  status: number;
  text: string;
}

/** A list of rules, or of keys; more is a mistake. */
const ANSWER_BYTES_MAX = 4_194_304;

export class HttpClient {
  private readonly tls: TlsFiles | null;
  private readonly timeoutMs: number;
  private readonly agents: { 'http:': http.Agent; 'https:': https.Agent };

  constructor(tls: TlsFiles | null, timeoutMs: number, connectionsMax: number) {
    this.tls = tls;
    this.timeoutMs = timeoutMs;
    const options = { keepAlive: true, maxSockets: connectionsMax };
    this.agents = { 'http:': new http.Agent(options), 'https:': new https.Agent({ ...options, ...tls }) };
  }

  /** A redirection is an answer like any other, and not followed: a password goes where the configuration says. */
  send(url: URL, method: 'GET' | 'POST', headers: Record<string, string>, body: string): Promise<HttpAnswer> {
    const isSecure = url.protocol === 'https:';
    const agent = isSecure ? this.agents['https:'] : this.agents['http:'];
    const signal = AbortSignal.timeout(this.timeoutMs);
    return new Promise((resolve, reject) => {
      const request = (isSecure ? https : http).request(
        url,
        { method, headers, agent, signal, ...this.tls },
        answer => {
          const chunks: Buffer[] = [];
          let bytes = 0;
          answer.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > ANSWER_BYTES_MAX)
              answer.destroy(new Error(`the answer has more than ${ANSWER_BYTES_MAX} bytes`));
            else chunks.push(chunk);
          });
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
          answer.on('error', reject);
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }

  close(): void {
    this.agents['http:'].destroy();
    this.agents['https:'].destroy();
  }
}
