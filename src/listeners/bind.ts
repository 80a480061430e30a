/**
 * Where a listener listens: one socket per address and family.
 *
 *   listener 1883             0.0.0.0 and, apart, ::          (socket_domain keeps one of them)
 *   listener 1883 name        every address of the name
 *   bind_interface eth0       the addresses of that interface, the same as the host if there is one
 *   listener 0 /path          a Unix socket
 */
import { lookup } from 'node:dns/promises';
import { existsSync, lstatSync, unlinkSync } from 'node:fs';
import { isIP, type Server } from 'node:net';
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { dirname } from 'node:path';
import { errorCode, systemErrorText } from '../transport/mod.ts';
import { ListenerError, type ListenerOptions } from './options.ts';

export interface BindAddress {
  address: string;
  family: 'ipv4' | 'ipv6';
}

/** Connections the kernel keeps for us while we are busy; a whole house reconnecting at once fits. */
const BACKLOG = 1024;
/** sun_path holds 108 bytes with the closing NUL. */
const UNIX_PATH_BYTES_MAX = 107;
/** rwx for owner and group, nothing for others. */
const UNIX_UMASK = 0o007;

export async function bindAddresses(options: ListenerOptions): Promise<BindAddress[]> {
  const { host } = options.rules;
  const wanted = options.socketDomain;
  const everywhere: BindAddress[] = [
    { address: '0.0.0.0', family: 'ipv4' },
    { address: '::', family: 'ipv6' },
  ];
  const resolved = host === null ? everywhere : await resolveHost(host);
  const found = resolved.filter(({ family }) => wanted === null || family === wanted);
  if (found.length === 0)
    throw new ListenerError(['Error creating listener: Name or service not known.', noSuchFamily(options)]);
  return options.bindInterface === null ? found : onInterface(options.bindInterface, found, host);
}

async function resolveHost(host: string): Promise<BindAddress[]> {
  // A scope such as %eth0 belongs to the address and is not for the resolver.
  if (isIP(host) !== 0) return [{ address: host, family: isIP(host) === 4 ? 'ipv4' : 'ipv6' }];
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address, family }) => ({ address, family: family === 4 ? 'ipv4' : 'ipv6' }));
  } catch (error) {
    const why = `  The host name "${host}" of a listener line cannot be resolved on this machine (${errorCode(error)}). Correct the name, or write an address.`;
    throw new ListenerError(['Error creating listener: Name or service not known.', why]);
  }
}

function noSuchFamily(options: ListenerOptions): string {
  return `  The host "${options.rules.host}" has no address of family ${options.socketDomain}. Remove socket_domain, or write an address of that family.`;
}

function onInterface(name: string, wanted: readonly BindAddress[], host: string | null): BindAddress[] {
  const addresses = addressesOf(name);
  if (addresses === null) {
    const known = Object.keys(networkInterfaces()).join(', ');
    const why = `  Interfaces of this machine that have an address: ${known}.`;
    throw new ListenerError([`Error: Interface ${name} does not exist.`, why]);
  }
  const chosen =
    host === null
      ? wanted.flatMap(({ family }) => addresses.filter(own => own.family === family).slice(0, 1))
      : addresses.filter(own => wanted.some(({ address }) => address === own.address.split('%')[0]));
  if (chosen.length > 0) return chosen;
  if (host !== null) {
    throw new ListenerError([`Error: Interface address for ${name} does not match specified listener host (${host}).`]);
  }
  const families = wanted.map(({ family }) => (family === 'ipv4' ? 'IPv4' : 'IPv6')).join('/');
  throw new ListenerError([`Error: Interface ${name} does not support ${families} configuration.`]);
}

function addressesOf(name: string): BindAddress[] | null {
  const interfaces = Object.entries(networkInterfaces());
  const found = interfaces.find(([own]) => own.toLowerCase() === name.toLowerCase());
  return found === undefined ? null : (found[1] ?? []).map(info => bindAddressOf(info, found[0]));
}

function bindAddressOf(info: NetworkInterfaceInfo, name: string): BindAddress {
  if (info.family === 'IPv4') return { address: info.address, family: 'ipv4' };
  return { address: info.scopeid ? `${info.address}%${name}` : info.address, family: 'ipv6' };
}

export async function listenOn(server: Server, at: BindAddress, port: number): Promise<void> {
  const options = { host: at.address, port, backlog: BACKLOG, ipv6Only: at.family === 'ipv6' };
  try {
    await listening(server, () => server.listen(options));
  } catch (error) {
    throw new ListenerError(bindErrorLines(error, at, port), 1, errorCode(error));
  }
}

/** A socket left behind by an earlier run is removed; any other kind of file is not ours to delete. */
export async function listenOnPath(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > UNIX_PATH_BYTES_MAX) {
    throw new ListenerError([`Error: Path to unix socket is too long "${path}".`]);
  }
  const umask = process.umask(UNIX_UMASK);
  try {
    removeOldSocket(path);
    // The file is made inside listen(), before this returns to the event loop.
    await listening(server, () => {
      server.listen({ path, backlog: BACKLOG });
      process.umask(umask);
    });
  } catch (error) {
    if (error instanceof ListenerError) throw error;
    // libuv calls a missing directory "permission denied".
    const text = existsSync(dirname(path)) ? systemErrorText(error) : 'No such file or directory';
    throw new ListenerError([`Error binding unix socket: ${text}`, pathHint(path)]);
  } finally {
    process.umask(umask);
  }
}

function removeOldSocket(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    const why = `  "${path}" exists and is not a socket, so it is not deleted. Move it away, or choose another path.`;
    throw new ListenerError(['Error binding unix socket: Address already in use', why]);
  }
  unlinkSync(path);
}

function pathHint(path: string): string {
  return `  The socket "${path}" cannot be made: its directory must exist and be writable for the user that runs the broker.`;
}

function listening(server: Server, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    start();
  });
}

function bindErrorLines(error: unknown, at: BindAddress, port: number): string[] {
  const lines = [`Error: ${systemErrorText(error)}`];
  const place = `${at.address} port ${port}`;
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      lines.push(`  Another program already listens on ${place}. Find it with: ss -ltnp 'sport = :${port}'`);
      break;
    case 'EADDRNOTAVAIL':
      lines.push(`  ${at.address} is not an address of this machine. Its addresses are shown by: ip addr`);
      break;
    case 'EACCES':
      lines.push(
        'If you are trying to bind to a privileged port (<1024), try using setcap and do not start the broker as root:',
        `    sudo setcap 'CAP_NET_BIND_SERVICE=+ep' ${process.execPath}`,
      );
      break;
    default:
      lines.push(`  Listening on ${place} failed (${errorCode(error)}).`);
  }
  return lines;
}
