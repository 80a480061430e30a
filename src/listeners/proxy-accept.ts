/** The first step of an arrival on a listener with enable_proxy_protocol: who is it really? */
import { parseProxyHeader, type ProxyHeader, type ProxyParse } from '../transport/mod.ts';
import type { Arrival } from './arrival.ts';

const NO_CERTIFICATE =
  'require_certificate is set, and the proxy did not report a verified client certificate in this session.';

export async function readProxyHeader(arrival: Arrival): Promise<boolean> {
  arrival.phase = 'PROXY';
  const version = arrival.listener.settings.proxyProtocol === 2 ? 2 : 1;
  const parse = await arrival.readAhead(bytes => found(parseProxyHeader(version, bytes)));
  if (parse === null) return arrival.gone(`PROXY v${version} header`);
  if (parse.kind === 'fault') return refuseFault(arrival, version, parse);
  const { header } = parse;
  if (header.local) return leaveQuietly(arrival);
  if (header.source !== null) {
    arrival.peer.address = header.source.address;
    arrival.peer.port = header.source.port;
  }
  arrival.named = true;
  arrival.peer.proxied = true;
  if (arrival.listener.shared.options.turnsAway(arrival.peer) !== null) return leaveQuietly(arrival);
  return version === 1 || checkTls(arrival, header);
}

type Whole = Exclude<ProxyParse, { kind: 'need' }>;

function found(parse: ProxyParse): { value: Whole; used: number } | null {
  if (parse.kind === 'need') return null;
  return { value: parse, used: parse.kind === 'header' ? parse.header.length : 0 };
}

function refuseFault(arrival: Arrival, version: 1 | 2, parse: Extract<ProxyParse, { kind: 'fault' }>): false {
  const { log } = arrival.listener.shared.options;
  const means = `no valid PROXY v${version} header: ${parse.saw}; it began with ${arrival.seen}.`;
  const remedy =
    'Only a proxy that sends one may connect here; check its setting (send-proxy, proxy_protocol) and version.';
  arrival.listener.shared.options.meter.protocolErrors++;
  if (parse.fault === 'corrupt-tlv' && parse.source !== null) {
    log.write(
      'notice',
      `Connection from ${parse.source.address}:${parse.source.port} rejected, corrupt PROXY header.`,
      arrival.about('proxy.bad-header'),
    );
    arrival.explain('proxy.bad-header', means, remedy);
    return leaveQuietly(arrival);
  }
  if (version === 1)
    log.write('notice', 'Connection rejected, corrupt PROXY header.', arrival.about('proxy.bad-header'));
  return arrival.refuse('proxy.bad-header', 'bad socket read/write: Invalid input', means, remedy);
}

/** TLS ended at the proxy; what it tells about it stands in for our own handshake. */
function checkTls(arrival: Arrival, header: ProxyHeader): boolean {
  const { log } = arrival.listener.shared.options;
  const { requireCertificate } = arrival.listener.rules;
  const who = `${arrival.peer.address}:${arrival.peer.port}`;
  const { tls } = header;
  if (tls === null && (arrival.listener.settings.proxyRequiresTls || requireCertificate)) {
    const what = arrival.listener.settings.proxyRequiresTls ? 'connect using TLS' : 'provide a certificate';
    log.write('notice', `Connection from ${who} rejected, client did not ${what}.`, arrival.about('proxy.no-tls'));
    arrival.explain(
      'proxy.no-tls',
      'the PROXY header has no TLS record.',
      'Let the proxy send it (HAProxy: send-proxy-v2-ssl-cn).',
    );
    return leaveQuietly(arrival);
  }
  if (requireCertificate && !tls!.certificateVerified) {
    log.write(
      'notice',
      `Connection from ${who} rejected, client did not provide a certificate.`,
      arrival.about('proxy.no-certificate'),
    );
    arrival.explain(
      'proxy.no-certificate',
      NO_CERTIFICATE,
      'Let the proxy demand one (HAProxy: verify required) and send it (send-proxy-v2-ssl-cn).',
    );
    return leaveQuietly(arrival);
  }
  if (tls?.version && tls.cipher && log.connections) {
    log.write(
      'notice',
      `Connection from ${who} negotiated ${tls.version} cipher ${tls.cipher}`,
      arrival.about('proxy.accepted'),
    );
  }
  if (requireCertificate) arrival.peer.proxiedCommonName = tls!.commonName;
  return true;
}

function leaveQuietly(arrival: Arrival): false {
  arrival.raw.destroy();
  return false;
}
