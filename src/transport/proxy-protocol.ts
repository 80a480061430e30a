/**
 * The PROXY header a load balancer puts in front of a connection, versions 1 (text) and 2 (binary).
 *
 *   v1  PROXY TCP4 192.0.2.7 192.0.2.1 5555 1883\r\n            at most 108 bytes
 *   v2  signature(12) version|command family|protocol length(2) | addresses | TLV TLV ...
 *
 * Pure: bytes in, header out. `need` says that the header is not complete yet; a header that is complete or broken is
 * recognised from the same bytes however they were cut into chunks. Whether TLS or a certificate is demanded is the
 * listener's to decide.
 */
import { isIPv4, isIPv6 } from 'node:net';

export interface ProxyTls {
  /** The client proved who it is with a certificate, in this session, and the proxy verified it. */
  certificateVerified: boolean;
  version: string | null;
  commonName: string | null;
  cipher: string | null;
}

export interface ProxyHeader {
  /** Bytes the header takes; what follows belongs to the connection. */
  length: number;
  /** Null when the proxy speaks for itself or does not know: the socket's own address counts. */
  source: { address: string; port: number } | null;
  /** A health check of the proxy itself: no connection follows. */
  local: boolean;
  tls: ProxyTls | null;
}

export type ProxyFault = 'corrupt' | 'corrupt-tlv';
export type ProxyParse =
  | { kind: 'need' }
  | { kind: 'header'; header: ProxyHeader }
  | { kind: 'fault'; fault: ProxyFault; saw: string; source: ProxyHeader['source'] };

const NEED: ProxyParse = { kind: 'need' };

function fault(saw: string, source: ProxyHeader['source'] = null, kind: ProxyFault = 'corrupt'): ProxyParse {
  return { kind: 'fault', fault: kind, saw, source };
}

export function parseProxyHeader(version: 1 | 2, bytes: Buffer): ProxyParse {
  return version === 1 ? parseVersion1(bytes) : parseVersion2(bytes);
}

const V1_BYTES_MAX = 108;
const V1_START = Buffer.from('PROXY ');

function parseVersion1(bytes: Buffer): ProxyParse {
  const seen = Math.min(bytes.length, V1_START.length);
  if (bytes.compare(V1_START, 0, seen, 0, seen) !== 0) return fault('it does not begin with "PROXY "');
  const end = bytes.subarray(0, V1_BYTES_MAX).indexOf('\r\n');
  if (end < 0) return bytes.length < V1_BYTES_MAX ? NEED : fault(`no line end within ${V1_BYTES_MAX} bytes`);
  return parseLine(bytes.toString('latin1', V1_START.length, end), end + 2);
}

function parseLine(line: string, length: number): ProxyParse {
  const [family, address, destination, port, destinationPort, ...rest] = line.split(' ');
  if (family === 'UNKNOWN') return { kind: 'header', header: { length, source: null, local: false, tls: null } };
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : null;
  if (isAddress === null) return fault('the family is neither TCP4, TCP6 nor UNKNOWN');
  if (destinationPort === undefined || rest.length > 0) return fault('it does not have two addresses and two ports');
  if (!isAddress(address!) || !isAddress(destination!)) return fault(`an address is not of family ${family}`);
  if (!isPort(port!) || !isPort(destinationPort)) return fault('a port is not a number from 1 to 65535');
  const source = { address: address!, port: Number(port) };
  return { kind: 'header', header: { length, source, local: false, tls: null } };
}

function isPort(text: string): boolean {
  return /^[0-9]{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_HEAD_BYTES = 16;
const V2_BODY_BYTES_MAX = 500;

interface AddressFamily {
  bytes: number;
  read(body: Buffer): ProxyHeader['source'];
}

/** By the family and protocol byte; datagram families cannot carry a stream and are not here. */
const FAMILIES: Record<number, AddressFamily> = {
  0x00: { bytes: 0, read: () => null },
  0x11: { bytes: 12, read: body => ({ address: [...body.subarray(0, 4)].join('.'), port: body.readUInt16BE(8) }) },
  0x21: { bytes: 36, read: body => ({ address: textOfIpv6(body.subarray(0, 16)), port: body.readUInt16BE(32) }) },
  0x31: { bytes: 216, read: body => ({ address: cString(body.subarray(0, 108)), port: 0 }) },
};

function parseVersion2(bytes: Buffer): ProxyParse {
  const seen = Math.min(bytes.length, V2_SIGNATURE.length);
  if (bytes.compare(V2_SIGNATURE, 0, seen, 0, seen) !== 0) return fault('it does not begin with the v2 signature');
  if (bytes.length < V2_HEAD_BYTES) return NEED;
  const command = bytes[12]!;
  if (command !== 0x20 && command !== 0x21) return fault(`version and command are ${hex(command)}, not 0x20 or 0x21`);
  const local = command === 0x20;
  const family = FAMILIES[bytes[13]!];
  const bodyBytes = bytes.readUInt16BE(14);
  if (family === undefined) return fault(`family and protocol are ${hex(bytes[13]!)}, not a stream family`);
  if (bytes[13] === 0 && !local) return fault('the family is unspecified, which only LOCAL may be');
  if (bodyBytes < family.bytes || bodyBytes > V2_BODY_BYTES_MAX) {
    return fault(`the body is ${bodyBytes} bytes; from ${family.bytes} to ${V2_BODY_BYTES_MAX} are allowed`);
  }
  if (bytes.length < V2_HEAD_BYTES + bodyBytes) return NEED;
  return parseBody(bytes.subarray(V2_HEAD_BYTES, V2_HEAD_BYTES + bodyBytes), family, local && bytes[13] === 0);
}

function parseBody(body: Buffer, family: AddressFamily, local: boolean): ProxyParse {
  const source = family.read(body);
  const length = V2_HEAD_BYTES + body.length;
  if (local) return { kind: 'header', header: { length, source: null, local, tls: null } };
  const records = readRecords(body.subarray(family.bytes));
  if (records === null) return fault('a record is longer than what is left', source, 'corrupt-tlv');
  const record = records.get(TLV_TLS);
  const tls = record === undefined ? null : readTls(record);
  if (tls === undefined) return fault('the TLS record is broken', source, 'corrupt-tlv');
  return { kind: 'header', header: { length, source, local, tls } };
}

const TLV_TLS = 0x20;
const TLV_TLS_VERSION = 0x21;
const TLV_TLS_COMMON_NAME = 0x22;
const TLV_TLS_CIPHER = 0x23;
const CLIENT_TLS = 0x01;
const CLIENT_CERTIFICATE_IN_SESSION = 0x04;

/** type(1) length(2) value, repeated. Null when they do not fill the bytes exactly. */
function readRecords(bytes: Buffer): Map<number, Buffer> | null {
  const records = new Map<number, Buffer>();
  let at = 0;
  while (at < bytes.length) {
    if (at + 3 > bytes.length) return null;
    const end = at + 3 + bytes.readUInt16BE(at + 1);
    if (end > bytes.length) return null;
    records.set(bytes[at]!, bytes.subarray(at + 3, end));
    at = end;
  }
  return records;
}

/** Null: the record says that the client did not use TLS. Undefined: broken. */
function readTls(record: Buffer): ProxyTls | null | undefined {
  if (record.length < 5) return undefined;
  const records = readRecords(record.subarray(5));
  if (records === null) return undefined;
  const client = record[0]!;
  if ((client & CLIENT_TLS) === 0) return null;
  const verified = (client & CLIENT_CERTIFICATE_IN_SESSION) !== 0 && record.readUInt32BE(1) === 0;
  return {
    certificateVerified: verified,
    version: textOf(records.get(TLV_TLS_VERSION)),
    commonName: textOf(records.get(TLV_TLS_COMMON_NAME)),
    cipher: textOf(records.get(TLV_TLS_CIPHER)),
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Null when it is absent, not UTF-8, or holds a control character. */
function textOf(bytes: Buffer | undefined): string | null {
  if (bytes === undefined) return null;
  try {
    const text = utf8.decode(bytes);
    return /[\u0000-\u001f\u007f-\u009f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

function cString(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

/** RFC 5952: lower case, the longest run of zeros shortened. */
function textOfIpv6(bytes: Buffer): string {
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2) groups.push(bytes.readUInt16BE(at).toString(16));
  // The URL parser knows the shortening rules.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}
