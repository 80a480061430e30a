/**
 * What we put into a certificate, by what it is for. One row per kind; issue.ts walks the row.
 *
 * Lifetimes: Apple and Android refuse server certificates of publicly trusted roots beyond 398 days and, of one's own
 * roots, beyond 825 (support.apple.com/103769). Ours renew themselves, so the shorter one costs nobody anything.
 * Devices are renewed while they are in use; 90 days bound what a lost one can do if nobody notices.
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
/** What a client's certificate is for. */
export type ClientProfileName = 'device' | 'device-without-updates' | 'operator';
export type ProfileName = 'root' | 'issuing' | 'server' | ClientProfileName;

const clientAuth = '1.3.6.1.5.5.7.3.2';

const client: Omit<Profile, 'lifetimeDays'> = {
  isCa: false,
  pathLengthMax: null,
  keyUsage: ['digitalSignature'],
  extendedKeyUsage: [clientAuth],
};

export const profiles: Record<ProfileName, Profile> = {
  root: {
    lifetimeDays: 7300,
    isCa: true,
    // Two: the issuing CA, and above it the next root while this one vouches for it (rollover).
    pathLengthMax: 2,
    keyUsage: ['keyCertSign', 'cRLSign'],
    extendedKeyUsage: [],
  },
  issuing: {
    // Ten years longer than the first five, so that a device without updates gets its ten years.
    lifetimeDays: 5475,
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
  device: { ...client, lifetimeDays: 90 },
  /** For what can never be given a new certificate. Everybody who makes one is told what that means. */
  'device-without-updates': { ...client, lifetimeDays: 3650 },
  operator: { ...client, lifetimeDays: 398 },
};
