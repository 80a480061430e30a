/**
 * The door through which devices come by HTTP, on the port where they will speak MQTT.
 *
 *   listener (TLS, who is it) -> take() -> routes      GET  /ca.crt                            the CA, for phones and scripts
 *                                                      GET  /.well-known/est/cacerts           EST, RFC 7030
 *                                                      POST /.well-known/est/simple(re)enroll
 *                                                      GET  /kit/TOKEN, POST                   a kit, once
 *
 * A visitor costs one socket for at most `visitSeconds`, however slowly it sends, and there are never more than
 * `visitorsMax`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Log, Meter, Peer } from '../../broker/ports.ts';
import type { EnrolmentOffice } from '../../pki/mod.ts';
import { createHttpServer } from '../http-server.ts';
import { estRoutes } from './est.ts';
import { kitRoute } from './kit.ts';
import { Visit, type Route } from './visit.ts';

export interface DoorOptions {
  /** The folder of the CA. */
  folder: string;
  office: EnrolmentOffice;
  log: Log;
  meter: Meter;
  /** Unix time in milliseconds. */
  wall: () => number;
}

export interface EnrolmentDoor {
  /** A socket on which HTTP is spoken; it is the door's from here on. */
  take(socket: Socket, peer: Peer): void;
  close(): void;
}

const limits = { headerBytesMax: 8192, headerSeconds: 10, requestSeconds: 20, idleSeconds: 10 };
const visitSeconds = 60;
const visitorsMax = 200;
/** A workshop behind one address sets up no more devices at the same moment. */
const visitorsOfOneAddressMax = 20;

export async function openEnrolmentDoor(options: DoorOptions): Promise<EnrolmentDoor> {
  const visitors = new Map<Socket, Peer>();
  const routes: readonly Route[] = [...estRoutes, kitRoute];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const peer = visitors.get(request.socket);
    if (peer === undefined) return void response.destroy();
    void serve(routes, new Visit(request, response, peer, certificateOf(request.socket), options));
  };
  const server = await createHttpServer(answer, limits);
  return {
    take(socket, peer) {
      const full = refusalOf(visitors, peer);
      if (full !== null) {
        options.meter.connectionsRefusedByLimit++;
        options.log.write('warning', `Warning: HTTP from ${peer.address} on ${peer.listener.name} closed: ${full}.`, {
          code: 'http.closed',
          address: peer.address,
          port: peer.port,
          listener: peer.listener.name,
        });
        return void socket.destroy();
      }
      visitors.set(socket, peer);
      const deadline = setTimeout(() => socket.destroy(), visitSeconds * 1000).unref();
      socket.once('close', () => {
        clearTimeout(deadline);
        visitors.delete(socket);
      });
      server.take(socket);
      // It was paused when its first bytes were looked at; they come first.
      socket.resume();
    },
    close: () => server.close(),
  };
}

function refusalOf(visitors: ReadonlyMap<Socket, Peer>, { address }: Peer): string | null {
  if (visitors.size >= visitorsMax) return `${visitorsMax} visitors are here already`;
  const same = [...visitors.values()].filter(each => each.address === address).length;
  return same >= visitorsOfOneAddressMax ? `${visitorsOfOneAddressMax} from this address are here already` : null;
}

/** Of whom the handshake has proved to have its key, whether it is still good or not. */
function certificateOf(socket: Socket): Buffer | null {
  return (socket as TLSSocket).getPeerCertificate().raw ?? null;
}

async function serve(routes: readonly Route[], visit: Visit): Promise<void> {
  const route = routes.find(each => each.path.test(visit.path));
  const method = visit.request.method === 'HEAD' ? 'GET' : (visit.request.method ?? '');
  const handle = route?.methods[method];
  try {
    if (route === undefined) visit.text(404, 'there is nothing here by this path\n');
    else if (handle === undefined) visit.text(405, 'not by this method\n', { allow: Object.keys(route.methods).join(', ') });
    else await handle(visit);
  } catch (error) {
    visit.fail(error);
  }
} // prettier-ignore
