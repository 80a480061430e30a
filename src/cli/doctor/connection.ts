/**
 * A broker looked at from outside: does it speak TLS, which versions, with which certificate, and whom does it let in?
 * Asks as a stranger: nothing is sent but handshakes and one CONNECT without a name.
 */
import type { Finding } from '../../base/mod.ts';
import { ClientError, connect } from '../../client/mod.ts';
import { checkServer, factsOf, objectionsTo } from '../../pki/mod.ts';
import { UsageError } from '../ca/subcommand.ts';
import { peerOf, shake, type Offer, type Outcome, type Peer } from '../probe/handshake.ts';
import { devices } from '../probe/devices.ts';
import { wantsCertificate } from '../probe/probe.ts';
import type { Trusted } from '../probe/trusted.ts';
import { clock, inOrder, type Examined } from './examine.ts';

const current: Offer = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: null,
  groups: null,
  signatures: null,
};

export async function examineConnection(text: string, trusted: Trusted, now: number): Promise<Examined> {
  const peer = peerOf(text);
  if (peer === null) throw new UsageError(`'${text}' is not HOST:PORT.`);
  const outcome = await shake(peer, current);
  const findings = [...clock(now), ...explainCertificate(text, outcome, now)];
  const guest = await visit(peer, trusted.pem === null ? {} : { ca: [trusted.pem] });
  if (wantsCertificate(outcome)) findings.push(...explainTrust(text, peer, outcome, trusted, now));
  else if (guest === null) findings.push(anonymous(text));
  else if (outcome.version === null) findings.push(...(await explainPlain(text, peer, guest)));
  else if (guest.kind !== 'refused') findings.push(trouble(text, guest));
  if (outcome.version !== null && (await speaksObsolete(peer))) findings.push(obsolete(text));
  return { what: `the broker at ${text}, trusting ${trusted.what}`, findings: inOrder(findings) };
}

/** Null: came in without a name. */
async function visit(peer: Peer, tls: { ca?: string[] } | null): Promise<ClientError | null> {
  try {
    const client = await connect({ ...peer, ...(tls === null ? {} : { tls }), reconnect: false });
    await client.disconnect();
    return null;
  } catch (error) {
    if (error instanceof ClientError) return error;
    throw error;
  }
}

/** A stranger without a certificate is told nothing of trust: what a current client would say is worked out here. */
function explainTrust(where: string, { host }: Peer, { chain }: Outcome, trusted: Trusted, now: number): Finding[] {
  const limits = devices.find(each => each.name === 'openssl')?.limits;
  if (limits === undefined) return [];
  const why = 'A client that checks who it talks to does not connect.';
  const objections = objectionsTo({ host, chain, trusted: trusted.certificates, limits, now });
  return objections.map(each => ({ ...each, severity: 'error', where, why }));
}

function trouble(where: string, { code, message, remedy }: ClientError): Finding {
  return {
    code,
    severity: 'error',
    where,
    saw: message.replace(/\.$/, ''),
    why: 'A client that checks who it talks to does not connect.',
    remedy: [...remedy],
  };
}

/** Not to be judged from here: what else the other machine is called, and which CAs a client has. */
const local = ['tls.few-alternative-names', 'tls.chain-open'];

/** Its certificate by the checks of a listener; the files are on the other machine, so their names are only examples. */
function explainCertificate(where: string, { chain }: Outcome, now: number): Finding[] {
  const [leaf, ...sent] = chain.map(factsOf);
  if (!leaf) return [];
  const cas = sent.filter(each => each.selfSigned);
  const names = { certFile: 'server.crt', keyFile: 'server.key', caFile: 'ca.crt', caKey: null };
  const found = checkServer({ ...names, leaf, sent, key: null, cas, now }, '', []);
  const remedy = ['On the machine of the broker, zancudo doctor CONFIGURATION says the commands that mend it.'];
  return found.filter(({ code }) => !local.includes(code)).map(each => ({ ...each, where, remedy }));
}

function anonymous(where: string): Finding {
  return {
    code: 'access.anonymous',
    severity: 'warning',
    where,
    saw: 'it lets in everybody, without a password',
    why: 'Whoever reaches the port can read and send everything that the access rules do not forbid.',
    remedy: ['On the machine of the broker: zancudo doctor FILE   (its configuration) says how to change that.'],
  };
}

async function explainPlain(where: string, peer: Peer, overTls: ClientError): Promise<Finding[]> {
  const guest = await visit(peer, null);
  if (guest !== null && guest.kind !== 'refused') return [trouble(where, overTls)];
  const clearText: Finding = {
    code: 'listener.clear-text',
    severity: 'warning',
    where,
    saw: 'it speaks MQTT without TLS',
    why: 'Passwords and messages can be read and changed by everybody on the way.',
    remedy: ['Serve others over TLS (port 8883), and this port on the machine itself only: listener 1883 127.0.0.1'],
  };
  return guest === null ? [clearText, anonymous(where)] : [clearText];
}

async function speaksObsolete(peer: Peer): Promise<boolean> {
  const { version } = await shake(peer, { ...current, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
  return version !== null;
}

function obsolete(where: string): Finding {
  return {
    code: 'tls.version-obsolete',
    severity: 'warning',
    where,
    saw: 'it accepts TLS 1.0 or 1.1',
    why: 'Both can be broken, and no current client needs them.',
    remedy: ['tls_version tlsv1.2   (in the configuration of the broker)'],
  };
}
