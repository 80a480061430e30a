/**
 * An accepted socket on its way to the heart.
 *
 *   accept -> [PROXY header] -> [TLS] -> [WebSocket] -> onLink     each step only where the listener wants it
 *                |                |           |
 *                +--- refused: one line that names the peer and the true reason, then the remedy
 *
 * One deadline covers all steps. Bytes are read ahead only as far as a step needs them and put back otherwise. A
 * plain listener's sockets do not come through here: they go to the heart at once.
 */
import type { Socket } from 'node:net';
import { type About, escapedBytes, type LogCode } from '../base/mod.ts';
import type { Link, Peer } from '../broker/ports.ts';
import { SocketLink, systemErrorText } from '../transport/mod.ts';
import type { Listener } from './listener.ts';

export interface Origin {
  address: string;
  port: number;
}

/** What a step has found in the bytes read ahead, and how many of them it has used up. */
export interface Found<T> {
  value: T;
  used: number;
}

type HeardLink = Link & Pick<SocketLink, 'heard' | 'ended'>;

export class Arrival {
  readonly listener: Listener;
  /** The socket as accepted; `socket` is the one to talk through, which is another one after TLS. */
  readonly raw: Socket;
  socket: Socket;
  /** What the heart will be told; the steps fill it in. */
  readonly peer: Peer;
  /** False until a PROXY header has said who the peer is. */
  named: boolean;
  /** How far it came, for the log. */
  phase: 'TCP' | 'PROXY' | 'TLS' | 'WebSocket' | 'HTTP' = 'TCP';
  /** Whether the peer has sent anything. */
  heard = false;
  /** What it began with, as far as a step has looked. */
  firstBytes: Buffer | null = null;
  timedOut = false;
  /** What was handed over, once it was. */
  link: HeardLink | null = null;
  error: Error | null = null;

  private readonly deadline: NodeJS.Timeout;
  private settled = false;
  private readonly onError = (error: Error): void => {
    this.error ??= error;
  };
  private readonly onClose = (): void => this.settle();

  constructor(listener: Listener, raw: Socket, peer: Peer) {
    this.listener = listener;
    this.raw = raw;
    this.socket = raw;
    this.peer = peer;
    this.named = listener.settings.proxyProtocol === 0;
    listener.shared.admission.arriving++;
    this.deadline = setTimeout(() => this.expire(), listener.shared.options.limits.handshakeTimeoutMs).unref();
    raw.on('error', this.onError);
    raw.on('close', this.onClose);
  }

  /** `127.0.0.1:33328 on port 8883`, as our own lines name the peer. */
  get place(): string {
    const { address, port, listener } = this.peer;
    return `${address}:${port} on ${listener.name}`;
  }

  /** Reads until `find` has an answer. Null when the peer is gone before that. */
  readAhead<T>(find: (soFar: Buffer) => Found<T> | null): Promise<T | null> {
    const socket = this.socket;
    return new Promise(resolve => {
      let soFar: Buffer | null = null;
      const stop = (value: T | null): void => {
        socket.off('data', onData);
        socket.off('close', onGone);
        resolve(value);
      };
      const onGone = (): void => stop(null);
      const onData = (chunk: Buffer): void => {
        this.heard = true;
        soFar = soFar === null ? chunk : Buffer.concat([soFar, chunk]);
        this.firstBytes ??= chunk;
        const found = find(soFar);
        if (found === null) return;
        // Without a pause the stream would flow on with nobody listening.
        socket.pause();
        if (found.used < soFar.length) socket.unshift(soFar.subarray(found.used));
        stop(found.value);
      };
      if (socket.destroyed) return resolve(null);
      socket.on('close', onGone);
      socket.on('data', onData);
      socket.resume();
    });
  }

  /** The socket itself becomes the link. */
  handOver(): void {
    this.handOverLink(new SocketLink(this.socket, this.listener.shared.scheduler));
  }

  handOverLink(link: HeardLink): void {
    this.link = link;
    this.settle();
    this.raw.off('close', this.onClose);
    if (this.socket === this.raw) this.raw.off('error', this.onError);
    this.listener.shared.options.onLink(link, this.peer);
  }

  /** To whoever answers HTTP here; the seat is kept until the socket closes. */
  handOverHttp(): void {
    this.settle();
    this.raw.off('close', this.onClose);
    this.listener.shared.options.onHttp(this.socket, this.peer);
  }

  /** The peer left, or the deadline passed, while `waitingFor` was awaited. Always false: the way ends here. */
  gone(waitingFor: string): false {
    const code = this.heard ? 'connection.broken-off' : 'connection.silent';
    if (this.timedOut) return this.refuse(code, 'exceeded timeout.', ...this.silence(waitingFor));
    const why = this.error !== null ? `${systemErrorText(this.error)}.` : 'connection closed by client.';
    const seen = this.heard
      ? `the connection ended in the middle of the ${waitingFor}, which began with ${this.seen}.`
      : 'the connection ended before a byte was sent: a port probe or a health check.';
    return this.refuse(code, why, seen, '');
  }

  /** Mosquitto's line with `reason`, ours with the meaning and the remedy; then the socket is closed. */
  refuse(code: LogCode, reason: string, means: string, remedy: string): false {
    this.settle();
    const { log } = this.listener.shared.options;
    const { address, port } = this.peer;
    this.record(reason, means, remedy);
    const who = this.named ? `${address} [${address}:${port}]` : '(null) [(null):0]';
    if (log.connections) {
      log.write('notice', `Client ${who} disconnected: ${reason}`, { ...this.about(code), reason });
      this.explain(code, means, remedy);
    }
    this.socket.destroy();
    this.raw.destroy();
    return false;
  }

  /** For whoever asks afterwards; a sentence each, of which the record takes the full stop. */
  record(reason: string, means: string, remedy: string): void {
    const { address, port, listener, certificate } = this.peer;
    this.listener.shared.options.recorder?.note('handshake.failed', {
      address,
      port,
      listener: listener.name,
      reason: reason.replace(/\.$/, ''),
      means,
      remedy,
      certificate: certificate?.commonName ?? undefined,
      serial: certificate?.serialNumber,
    });
  }

  /** One line of ours: who, where, what it was, what to do. */
  explain(code: LogCode, means: string, remedy: string): void {
    const text = `  ${this.place}: ${means}${remedy === '' ? '' : ` ${remedy}`}`;
    this.listener.shared.options.log.write('notice', text, this.about(code));
  }

  about(code: LogCode): About {
    const { address, port, listener, certificate } = this.peer;
    const bytes = this.firstBytes === null ? undefined : escapedBytes(this.firstBytes);
    return {
      code,
      address,
      port,
      listener: listener.name,
      certificate: certificate?.subject,
      phase: this.phase,
      bytes,
    };
  }

  /** The first bytes, for a sentence. */
  get seen(): string {
    return this.firstBytes === null ? 'nothing' : `"${escapedBytes(this.firstBytes)}"`;
  }

  private silence(waitingFor: string): [string, string] {
    const seconds = this.listener.shared.options.limits.handshakeTimeoutMs / 1000;
    this.listener.shared.options.meter.connectTimeouts++;
    return this.heard
      ? [
          `the ${waitingFor} was not complete after ${seconds} s; it began with ${this.seen}.`,
          'A slow network, or a client that waits for something.',
        ]
      : [
          `nothing was sent for ${seconds} s; a ${waitingFor} was awaited.`,
          'A port probe, or a client that waits for the server.',
        ];
  }

  private expire(): void {
    this.timedOut = true;
    this.socket.destroy();
  }

  private settle(): void {
    if (this.settled) return;
    this.settled = true;
    clearTimeout(this.deadline);
    this.listener.shared.admission.arriving--;
  }
}
