/** Where somebody may come from: `192.168.1.0/24`, `fd00::/8`, or a single address. */
import { BlockList, isIP } from 'node:net';
import { plainAddress } from '../../base/mod.ts';
import { PkiError } from '../pki-error.ts';

const widths: Record<number, number> = { 4: 32, 6: 128 };

/** The range as it is kept; throws when it is none. */
export function checkRange(text: string): string {
  const [network = '', bits, ...more] = text.split('/');
  const width = widths[isIP(network)];
  const prefix = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : Infinity;
  if (width !== undefined && prefix !== undefined && prefix <= width && more.length === 0 && !network.includes('%')) {
    return `${network}/${prefix}`;
  }
  throw new PkiError({
    code: 'enrolment.bad-range',
    where: JSON.stringify(text),
    saw: 'this is no address and no range of addresses',
    why: 'Only a device in the range may use the token.',
    remedy: ['For example 192.168.1.0/24, 192.168.1.77 or fd00::/8.'],
  });
}

/** `range` as checkRange() gave it. */
export function isInRange(range: string, address: string): boolean {
  const [network = '', prefix] = range.split('/');
  const list = new BlockList();
  list.addSubnet(network, Number(prefix), isIP(network) === 6 ? 'ipv6' : 'ipv4');
  const plain = plainAddress(address);
  const family = isIP(plain);
  return family !== 0 && list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
}
