/** Where somebody comes from, as limits count it. */
import { isIP } from 'node:net';

/** Without a zone, and an IPv4 address that came over an IPv6 socket as what it is. */
export function plainAddress(address: string): string {
  // Only IPv6 has any of it. Each arrival asks several times.
  if (!address.includes(':')) return address;
  const [bare = ''] = address.split('%');
  return bare.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

/** An IPv4 address as it is; of IPv6 the /64, which is the least that one host has: `2001:db8:1:2::/64`. */
export function sourceOf(address: string): string {
  const plain = plainAddress(address);
  if (!plain.includes(':') || isIP(plain) !== 6) return plain;
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4);
  return `${groups.map(group => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
