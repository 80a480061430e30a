/** The two URLs that `ctrl` takes, by Mosquitto's rules and with its error lines. */
import type { Draft } from './ctrl-options.ts';

/** `mqtt[s]://[user[:password]@]host[:port]/anything`; nothing is decoded. */
export function parseUrl(draft: Draft, url: string): string | undefined {
  const scheme = /^mqtts?:\/\//i.exec(url)?.[0].toLowerCase();
  if (scheme === undefined) return 'Error: Unsupported URL scheme.';
  const rest = url.slice(scheme.length);
  const slash = rest.indexOf('/');
  if (slash === -1) return 'Error: Invalid URL for -L argument specified - topic missing.';
  const place = rest.slice(0, slash);
  const at = place.indexOf('@');
  const [username, password] = splitOnce(place.slice(0, Math.max(at, 0)));
  const [host = '', port] = splitOnce(place.slice(at + 1));
  if (at !== -1 && username === '') return 'Error: Empty username in URL.';
  if (port === '') return 'Error: Empty port in URL.';
  if (port !== undefined && !isPort(port)) return `Error: Invalid port given: ${port}`;
  if (at !== -1) draft.username = username;
  if (password !== undefined) draft.password = password;
  draft.host = host;
  draft.port = port === undefined ? (scheme === 'mqtts://' ? 8883 : 1883) : Number(port);
  if (scheme === 'mqtts://') draft.useSystemCas = true;
  return undefined;
}

/** `socks5h://[user[:password]@]host[:port]`, IPv6 in brackets; user and password may use %25, %3A and %40. */
export function parseProxy(draft: Draft, url: string): string | undefined {
  const scheme = 'socks5h://';
  if (!url.startsWith(scheme)) return `Error: Unsupported proxy protocol: ${url}`;
  const found = /^(?:([^:@]+)(?::([^@]*))?@)?(\[[^\]]+\]|[^:@]+)(?::(.*))?$/.exec(url.slice(scheme.length));
  if (found === null) return 'Error: Invalid proxy.';
  const [, user, secret, host = '', port = '1080'] = found;
  const username = decode(user);
  const password = decode(secret);
  if (username === undefined) return 'Error: Invalid URL encoding in username.';
  if (password === undefined) return 'Error: Invalid URL encoding in password.';
  if (!isPort(port)) return `Error: Invalid proxy port ${port}`;
  draft.proxy = { host: host.replace(/^\[|\]$/g, ''), port: Number(port), username, password };
  return undefined;
}

/** Undefined when something else is encoded. */
function decode(text: string | undefined): string | null | undefined {
  if (text === undefined) return null;
  if (/%(?!25|3a|40)/i.test(text)) return undefined;
  return text.replace(/%(25|3a|40)/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
}

function splitOnce(text: string): [string, string | undefined] {
  const colon = text.indexOf(':');
  return colon === -1 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}
