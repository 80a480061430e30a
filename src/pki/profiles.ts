/**
 * What we put into a certificate, by what it is for. One row per kind; issue.ts walks the row.
 *
 * Lifetimes: Apple and Android refuse server certificates of publicly trusted roots beyond 398 days and, of one's own
 * roots, beyond 825 (support.apple.com/103769). Ours renew themselves, so the shorter one costs nobody anything.
 */
export interface Profile {
  lifetimeDays: number;
  isCa: boolean;
  /** CAs that may follow below this one; null for leaves. */
  pathLengthMax: number | null;
  /** Names of RFC 5280. `keyEncipherment` is added for RSA keys: TLS 1.2 with RSA key exchange asks for it. */
  keyUsage: readonly KeyUsage[];
  extendedKeyUsage: readonly string[];
}

export type KeyUsage = 'digitalSignature' | 'keyEncipherment' | 'keyCertSign' | 'cRLSign';
export type ProfileName = 'root' | 'issuing' | 'server';

export const profiles: Record<ProfileName, Profile> = {
  root: {
    lifetimeDays: 7300,
    isCa: true,
    pathLengthMax: 1,
    keyUsage: ['keyCertSign', 'cRLSign'],
    extendedKeyUsage: [],
  },
  issuing: {
    lifetimeDays: 3650,
    isCa: true,
    pathLengthMax: 0,
    keyUsage: ['digitalSignature', 'keyCertSign', 'cRLSign'],
    extendedKeyUsage: [],
  },
  server: {
    lifetimeDays: 398,
    isCa: false,
    pathLengthMax: null,
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'],
  },
};
