/** How devices reach the broker of a home: its host, its port, a name in its certificate, its public keys. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { certificatesOf, machineNames, serverPairs } from '../../pki/mod.ts';
import type { Call } from '../ca/subcommand.ts';
import { UsageError, type SubcommandOption } from '../ca/subcommand.ts';
import { refreshServerCertificates } from '../ca/init.ts';
import { tasmotaFingerprint } from '../kit/tasmota-fingerprint.ts';

export const reachOptions: readonly SubcommandOption[] = [
  { long: '--host', argument: 'HOST', says: 'Name or address by which the device reaches the broker; this machine unless given.' },
  { long: '--port', argument: 'PORT', says: 'Port of the broker; that of its configuration unless given.' },
]; // prettier-ignore

export interface Reach {
  host: string;
  serverName: string;
  port: number;
  tasmota: { rsa: string; ec: string };
}

/** Makes sure that the broker's certificate holds the host. */
export async function reachOf(call: Call): Promise<Reach> {
  const machine = machineNames();
  const asked = call.value('--host');
  await refreshServerCertificates(call, asked === null ? [] : [asked]);
  const host = asked ?? machine.reachableAt ?? `${machine.hostName}.local`;
  const serverName = asked !== null && net.isIP(asked) === 0 ? asked : machine.hostName;
  const port = portOf(call);
  return { host, serverName, port, tasmota: fingerprintsOf(call.home.folder) };
}

function portOf(call: Call): number {
  const given = call.value('--port');
  if (given !== null && !(/^\d{1,5}$/.test(given) && Number(given) >= 1 && Number(given) <= 65_535)) {
    throw new UsageError('--port is a number from 1 to 65535.');
  }
  return given === null ? configuredPort(call.home.folder) : Number(given);
}

const standardPort = 8883;

/** The first listener of the home's settings is the one that asks for certificates. */
function configuredPort(folder: string): number {
  const file = path.join(folder, 'zancudo.conf');
  const settings = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  return Number(/^listener +(\d+)/m.exec(settings)?.[1] ?? standardPort);
}

function fingerprintsOf(folder: string): { rsa: string; ec: string } {
  const found = { rsa: '', ec: '' };
  for (const { kind, certificate } of serverPairs(folder)) {
    const [leaf] = certificatesOf(fs.readFileSync(certificate, 'utf8'));
    if (leaf && (kind === 'rsa' || kind === 'ec')) found[kind] = tasmotaFingerprint(leaf.publicKey);
  }
  return found;
}
