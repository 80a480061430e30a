/**
 * Every name and address this machine may be reached by: what belongs into its server certificate.
 */
import { isIP } from 'node:net';
import os from 'node:os';
import { domainToASCII } from 'node:url';
import { canonicalAddress, type SubjectAltName } from './inspect.ts';

/**
 * Beyond this the certificate would outgrow what small devices take in one handshake message (16 kB); the rest is
 * left out, own names first, then IPv4, then IPv6. Machines with hundreds of addresses are container hosts, and
 * nobody reaches a broker by those.
 */
const namesMax = 200;

export interface MachineNames {
  /** Shortest name of the machine, `broker`. */
  hostName: string;
  /** What the certificate carries: one entry per name, no doubles. */
  names: SubjectAltName[];
  /** An address that other machines can try, null when there is none. */
  reachableAt: string | null;
}

/** `extra`: names and addresses that the machine cannot know of, such as a public DNS name. */
export function machineNames(extra: readonly string[] = []): MachineNames {
  const full = asciiHostName(os.hostname());
  const hostName = full.split('.')[0] || 'localhost';
  const interfaces = Object.values(os.networkInterfaces()).flatMap(each => each ?? []);
  const addresses = interfaces.map(each => ({ text: canonicalAddress(each.address), v6: each.family === 'IPv6' }));
  const v4 = addresses.filter(each => !each.v6).map(each => each.text);
  const v6 = addresses.filter(each => each.v6).map(each => each.text);
  const dns = [hostName, full, `${hostName}.local`, 'localhost', ...extra.filter(each => !isAddress(each))];
  const ip = [...extra.filter(isAddress).map(canonicalAddress), '127.0.0.1', '::1', ...v4, ...v6];
  const reachable = interfaces.find(each => !each.internal && each.family === 'IPv4');
  return { hostName, names: entries(dns, ip), reachableAt: reachable?.address ?? null };
}

function entries(dns: readonly string[], ip: readonly string[]): SubjectAltName[] {
  const hosts = dns.map(asciiHostName).filter(each => each !== '' && each !== 'localhost.local');
  return [
    ...[...new Set(hosts)].map(value => ({ kind: 'dns' as const, value })),
    ...[...new Set(ip)].map(value => ({ kind: 'ip' as const, value })),
  ].slice(0, namesMax);
}

function isAddress(text: string): boolean {
  return isIP(canonicalAddress(text)) !== 0;
}

/** Certificates carry names in ASCII; a host name that has no such form cannot be asked for by a TLS client. */
function asciiHostName(name: string): string {
  const ascii = /^[\x21-\x7e]+$/.test(name) ? name : domainToASCII(name);
  return ascii.toLowerCase().replace(/\.$/, '');
}
