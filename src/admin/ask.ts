/** The other end of the operators' socket: how a command asks the broker that runs. */
import type { IncomingMessage } from 'node:http';
import type { ListEnd, Problem } from './contract.ts';
import { shortPath } from './socket-path.ts';

/** The broker said no, or something else is wrong with the answer. */
export class AskError extends Error {
  /** The status of the answer; 0 when it was cut off. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'AskError';
    this.status = status;
  }
}

export class OperatorsClient {
  readonly #socket: string;

  /** Nothing is opened before something is asked. System errors come with their code: ENOENT, ECONNREFUSED, EACCES. */
  constructor(socket: string) {
    this.#socket = socket;
  }

  async get<T>(path: string): Promise<T> {
    return wholeJson<T>(await this.#send('GET', path, null));
  }

  async remove(path: string): Promise<void> {
    await wholeJson(await this.#send('DELETE', path, null));
  }

  async post<T>(path: string, lines: AsyncIterable<string> | Iterable<string>): Promise<T> {
    return wholeJson<T>(await this.#send('POST', path, lines));
  }

  /** The text as it is, for /metrics. */
  async text(path: string): Promise<string> {
    return wholeText(await this.#send('GET', path, null));
  }

  /** The items of a list as they come; returns whether there were more than its limit. `opened`: the broker has begun. */
  list<T extends object>(path: string, opened?: () => void): AsyncGenerator<T, boolean> {
    return this.#items('GET', path, null, opened);
  }

  /** The same of what is made from the lines of the request. */
  listFor<T extends object>(path: string, lines: Iterable<string>): AsyncGenerator<T, boolean> {
    return this.#items('POST', path, lines);
  }

  async *#items<T extends object>(
    method: string,
    path: string,
    lines: Iterable<string> | null,
    opened?: () => void,
  ): AsyncGenerator<T, boolean> {
    const response = await this.#send(method, path, lines);
    if (response.statusCode !== 200) await wholeJson(response);
    opened?.();
    let open = '';
    response.setEncoding('utf8');
    for await (const chunk of response as AsyncIterable<string>) {
      const parts = (open + chunk).split('\n');
      open = parts.pop() ?? '';
      for (const part of parts) {
        const item = JSON.parse(part) as T | ListEnd;
        if ('end' in item) return item.more;
        yield item;
      }
    }
    throw new AskError(0, 'the list was cut off: the broker has stopped');
  }

  async #send(
    method: string,
    path: string,
    lines: AsyncIterable<string> | Iterable<string> | null,
  ): Promise<IncomingMessage> {
    const [{ request }, { Readable }] = await Promise.all([import('node:http'), import('node:stream')]);
    const short = shortPath(this.#socket);
    try {
      return await new Promise<IncomingMessage>((resolve, reject) => {
        const out = request({ socketPath: short.path, method, path, agent: false }, resolve);
        out.on('error', reject);
        if (lines === null) out.end();
        else Readable.from(lines).on('error', reject).pipe(out);
      });
    } finally {
      short.release();
    }
  }
}

async function wholeText(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response as AsyncIterable<string>) text += chunk;
  return text;
}

async function wholeJson<T>(response: IncomingMessage): Promise<T> {
  const body = JSON.parse(await wholeText(response)) as T | Problem;
  if (response.statusCode === 200) return body as T;
  throw new AskError(response.statusCode ?? 0, (body as Problem).error);
}
