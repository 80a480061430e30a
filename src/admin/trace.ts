/**
 * Following one client: its packets as they pass, to whoever asks on the operators' socket or into the flight recorder,
 * for a time that always ends. A reader that is slower than the client misses lines and is told how many.
 */
import type { BrokerView, TracedPacket } from '../broker/ports.ts';
import type { TraceLine } from './contract.ts';
import { BadRequest, type Exchange } from './exchange.ts';
import type { OperatorPorts } from './ports.ts';

const SECONDS_DEFAULT = 600;
const SECONDS_MAX = 86_400;
/** Characters that may wait for a reader. */
const WAITING_MAX = 1_000_000;
const PAYLOAD_BYTES_MAX = 500;
/** Of one client into the record, so that it does not push everybody else's events out. */
const RECORDED_A_MINUTE = 600;
const MINUTE_MS = 60_000;

export function followClient(view: BrokerView, exchange: Exchange): Promise<void> {
  const { response, query, name } = exchange;
  const milliseconds = millisecondsOf(query);
  const withPayload = query.has('payload');
  let missed = 0;
  const stop = view.follow(name, packet => {
    if (response.writableLength > WAITING_MAX) return void missed++;
    response.write(`${JSON.stringify(lineOf(packet, withPayload, missed))}\n`);
    missed = 0;
  });
  if (stop === null) return Promise.resolve(exchange.problem(409, `too many follow '${name}' already`));
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  response.flushHeaders();
  return new Promise(resolve => {
    const timer = setTimeout(() => response.end(`${JSON.stringify({ end: true, more: false })}\n`), milliseconds);
    response.once('close', () => {
      clearTimeout(timer);
      stop();
      resolve();
    });
  });
}

/** Answers at once; the record is written until the time is over. */
export function recordClient({ view, recorder }: OperatorPorts, exchange: Exchange): void {
  const { query, name: client } = exchange;
  const milliseconds = millisecondsOf(query);
  const withPayload = query.has('payload');
  if (recorder === null) return exchange.problem(409, 'this broker has no flight recorder (flight_recorder false)');
  let [left, counted] = [RECORDED_A_MINUTE, 0];
  const stop = view.follow(client, packet => {
    if (left === 0) return void counted++;
    left--;
    const { text, payload, payloadHex } = lineOf(packet, withPayload, 0);
    recorder.note('packet', { client, text, payload: payload ?? payloadHex });
  });
  if (stop === null) return exchange.problem(409, `too many follow '${client}' already`);
  const settle = (): void => {
    if (counted > 0) recorder.note('record.folded', { client, events: counted });
    [left, counted] = [RECORDED_A_MINUTE, 0];
  };
  const eachMinute = setInterval(settle, MINUTE_MS).unref();
  setTimeout(() => {
    stop();
    clearInterval(eachMinute);
    settle();
  }, milliseconds).unref();
  exchange.json({});
}

function millisecondsOf(query: URLSearchParams): number {
  const text = query.get('seconds') ?? String(SECONDS_DEFAULT);
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > SECONDS_MAX) throw new BadRequest(`seconds is a number from 1 to ${SECONDS_MAX}`);
  return seconds * 1000;
}

function lineOf({ text, payload }: TracedPacket, withPayload: boolean, missed: number): TraceLine {
  const line: TraceLine = { at: Date.now(), text };
  if (missed > 0) line.missed = missed;
  return withPayload && payload !== undefined ? { ...line, ...payloadOf(payload) } : line;
}

/** As text where it is text: an escape sequence is none. */
function payloadOf(payload: Buffer): Pick<TraceLine, 'payload' | 'payloadHex'> {
  const start = payload.subarray(0, PAYLOAD_BYTES_MAX);
  const dots = payload.length > PAYLOAD_BYTES_MAX ? '...' : '';
  const text = start.toString('utf8');
  const isText = !/[\x00-\x08\x0b-\x1f\x7f]/.test(text) && !text.slice(0, -1).includes('\ufffd');
  return isText ? { payload: text + dots } : { payloadHex: start.toString('hex') + dots };
}
