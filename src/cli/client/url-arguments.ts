/** `-L` and `--proxy`: addresses with user and password in one. */
import { invalid, type Draft, type UsageError } from './draft.ts';
import { topic as takeTopic } from './take.ts';

interface Scheme {
  prefix: string;
  port: number;
  tls: boolean;
  websocket: boolean;
}

const schemes: readonly Scheme[] = [
  { prefix: 'mqtt://', port: 1883, tls: false, websocket: false },
  { prefix: 'mqtts://', port: 8883, tls: true, websocket: false },
  { prefix: 'ws://', port: 1883, tls: false, websocket: true },
  { prefix: 'wss://', port: 8883, tls: true, websocket: true },
];

/** As Mosquitto reads it: nothing is decoded, and the first '/', '@' and ':' divide. */
export function readUrl(draft: Draft, url: string): UsageError | undefined {
  const scheme = schemes.find(each => url.toLowerCase().startsWith(each.prefix));
  if (scheme === undefined) return invalid('Unsupported URL scheme.', true, 'There are mqtt, mqtts, ws and wss.');
  const rest = url.slice(scheme.prefix.length);
  const slash = rest.indexOf('/');
  if (slash < 0) {
    return invalid(
      'Invalid URL for -L argument specified - topic missing.',
      false,
      `Such as ${scheme.prefix}localhost/house/lamp`,
    );
  }
  const fault = takeTopic(draft, rest.slice(slash + 1), '-L topic');
  if (fault !== undefined) return fault;
  const [credentials, address] = cutAt(rest.slice(0, slash), '@');
  if (address !== null) {
    const [username, password] = cutAt(credentials, ':');
    draft.username = username;
    if (password !== null) draft.password = password;
  }
  return readAddress(draft, address ?? credentials, scheme);
}

function readAddress(draft: Draft, address: string, scheme: Scheme): UsageError | undefined {
  const [host, port] = cutAt(address, ':');
  if (port !== null && !(/^\d+$/.test(port) && Number(port) <= 65_535)) {
    return invalid(`Invalid port given: ${Number.parseInt(port, 10) || 0}`, false, `It is '${port}' in the URL.`);
  }
  draft.host = host;
  draft.port = port === null ? scheme.port : Number(port);
  if (scheme.tls) draft.osCertificates = true;
  if (scheme.websocket) draft.websocket = true;
  return undefined;
}

/** What stands before and behind the first mark; null when there is none. */
function cutAt(text: string, mark: string): [string, string | null] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}

const proxyShape = /^(?:([^:@]+)(?::([^@]*))?@)?(?:\[([^\]]+)\]|([^:@[\]]+))(?::([^:]*))?$/;

/** socks5h: the proxy resolves the name. */
export function readProxyUrl(draft: Draft, url: string): UsageError | undefined {
  const prefix = 'socks5h://';
  if (!url.startsWith(prefix)) return invalid(`Unsupported proxy protocol: ${url}`, false, `It starts with ${prefix}`);
  const [, username, password, address6, host, port] = proxyShape.exec(url.slice(prefix.length)) ?? [];
  const name = address6 ?? host;
  if (name === undefined) return invalid('Invalid proxy.', false, 'Such as socks5h://user:password@proxy:1080');
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535)) {
    return invalid(`Invalid proxy port ${Number.parseInt(port, 10) || 0}`, false, `It is '${port}' in the URL.`);
  }
  draft.proxy = {
    host: name,
    port: port === undefined ? 1080 : Number(port),
    ...(username === undefined ? {} : { username: decode(username) }),
    ...(password === undefined ? {} : { password: decode(password) }),
  };
  return undefined;
}

/** Only these three: others stay as they are. */
function decode(text: string): string {
  return text.replace(/%25|%3a|%40/gi, code => ({ '%25': '%', '%3a': ':', '%40': '@' })[code.toLowerCase()] ?? code);
}
