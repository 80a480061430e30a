/**
 * One request and its answer. Long lists leave in slices: a few milliseconds of work, then everyone else's turn.
 *
 *   items ── shape ──> a line each ── SLICE_MS or CHUNK_BYTES ──> write, wait for the reader, next turn
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Problem } from './contract.ts';

/** Routing waits no longer than this for somebody's list. */
const SLICE_MS = 2;
const CHUNK_CHARACTERS = 65_536;
/** A retained message of the largest packet, in base64. */
const LINE_CHARACTERS_MAX = 380_000_000;

export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** What stood in the place of `:name` in the route's path, decoded. */
  readonly name: string;

  constructor(request: IncomingMessage, response: ServerResponse, query: URLSearchParams, name: string) {
    this.request = request;
    this.response = response;
    this.query = query;
    this.name = name;
  }

  json(body: unknown, status = 200): void {
    this.send(status, 'application/json', `${JSON.stringify(body)}\n`);
  }

  text(text: string, status = 200, type = 'text/plain; charset=utf-8'): void {
    this.send(status, type, text);
  }

  problem(status: number, error: string): void {
    const body: Problem = { error };
    this.json(body, status);
  }

  /** `shape` says null for what is not wanted. */
  async list<T>(items: Iterable<T>, shape: (item: T) => object | null): Promise<void> {
    const { response } = this;
    const limit = limitOf(this.query);
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
    let [chunk, shown, more] = ['', 0, false];
    let sliceEnds = performance.now() + SLICE_MS;
    for (const item of items) {
      const shaped = shape(item);
      if (shaped !== null) {
        if ((more = shown === limit)) break;
        shown++;
        chunk += `${JSON.stringify(shaped)}\n`;
      }
      if (chunk.length < CHUNK_CHARACTERS && performance.now() < sliceEnds) continue;
      await this.pass(chunk);
      if (response.destroyed) return;
      chunk = '';
      sliceEnds = performance.now() + SLICE_MS;
    }
    response.end(`${chunk}${JSON.stringify({ end: true, more })}\n`);
  }

  /** The lines of the request's body, read as JSON; between two slices it is everyone else's turn. */
  async *lines(): AsyncGenerator<unknown> {
    let open = '';
    let sliceEnds = performance.now() + SLICE_MS;
    this.request.setEncoding('utf8');
    for await (const chunk of this.request as AsyncIterable<string>) {
      const parts = (open + chunk).split('\n');
      open = parts.pop() ?? '';
      if (open.length > LINE_CHARACTERS_MAX) throw new BadRequest('a line of the body is too long');
      for (const part of parts) {
        if (part !== '') yield parsed(part);
        if (performance.now() < sliceEnds) continue;
        await nextTurn();
        sliceEnds = performance.now() + SLICE_MS;
      }
    }
    if (open !== '') yield parsed(open);
  }

  private async pass(chunk: string): Promise<void> {
    const { response } = this;
    if (chunk !== '' && !response.write(chunk)) await drained(response);
    // What the kernel takes at once is drained within the same turn.
    await nextTurn();
  }

  private send(status: number, type: string, body: string): void {
    const length = Buffer.byteLength(body);
    this.response.writeHead(status, { 'content-type': type, 'content-length': length, 'cache-control': 'no-store' });
    this.response.end(body);
  }
}

/** What was asked cannot be understood; answered with 400. */
export class BadRequest extends Error {}

function limitOf(query: URLSearchParams): number {
  const text = query.get('limit');
  if (text === null) return Infinity;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new BadRequest('limit is a number from 1 on');
  return Number(text);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new BadRequest('a line of the body is no JSON');
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
  });
}
