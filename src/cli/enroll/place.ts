/** `HOST`, `HOST:PORT`, `[::1]:8883`, `mqtts://HOST:PORT`. */
import { UsageError } from '../ca/subcommand.ts';

const standardPort = 8883;

export function placeIn(text: string): { host: string; port: number } {
  const plain = text.replace(/^(mqtts|https|ssl):\/\//i, '').replace(/\/$/, '');
  const [, bracketed, name, , port] =
    /^(?:\[([0-9a-f:.%]+)\]|([^:/[\]]+)|([0-9a-f:.%]+))(?::(\d{1,5}))?$/i.exec(plain) ?? [];
  const host = bracketed ?? name ?? ipv6(plain);
  const number = port === undefined ? standardPort : Number(port);
  if (host === undefined || number < 1 || number > 65_535) throw new UsageError(`'${text}' is no HOST[:PORT].`);
  return { host, port: number };
}

/** Without brackets there can be no port. */
function ipv6(text: string): string | undefined {
  return /^[0-9a-f:.%]*:[0-9a-f:.%]*:[0-9a-f:.%]*$/i.test(text) ? text : undefined;
}
