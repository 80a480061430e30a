/**
 * What the TLS of a device can do, as one table. Sources: Mongoose OS' libraries (mbedtls, mongoose.c), Tasmota's
 * TLS.md, BearSSL as the ESP8266 core builds it, ESP-IDF's default sdkconfig, Conscrypt, Apple's requirements for
 * trusted certificates (support.apple.com/103769), JDK 8's java.security, OpenSSL at security level 2.
 */
import type { CertificateLimits } from '../../pki/mod.ts';
import { everything, type Offer } from './handshake.ts';

export interface Device {
  name: string;
  /** For the page of help. */
  says: string;
  offer: Offer;
  limits: CertificateLimits;
  /** It speaks MQTT inside WebSocket, and nothing else. */
  webSocket: boolean;
  /** What it does not check, or wants besides. */
  notes: readonly string[];
}

const twelve = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
const current = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;

const gcm =
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384';
const chacha = 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305';
const cbc = 'ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA';
const modern = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';
const withRsa = 'AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:AES128-SHA:AES256-SHA';
const suites = (...lists: readonly string[]): string => [...lists, '@SECLEVEL=0'].join(':');

const signatures = 'ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512';
const signaturesWithPss = `${signatures}:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512`;

/** Each device says where it differs from this: a current program that checks everything. */
const strict: CertificateLimits = {
  leafKeys: ['rsa', 'ec'],
  rsaMin: 2048,
  rsaMax: 8192,
  curves: ['prime256v1', 'secp384r1', 'secp521r1'],
  sha1: false,
  checksChain: true,
  checksDates: true,
  checksName: 'both',
  commonName: false,
  needsServerAuth: false,
  lifetimeDaysMax: null,
  chainMax: 10,
};

export const devices: readonly Device[] = [
  {
    name: 'tasmota',
    says: 'Tasmota with TLS, as it is delivered: known by fingerprint',
    offer: { ...twelve, ciphers: suites('ECDHE-RSA-AES128-GCM-SHA256'), groups: 'P-256', signatures: 'RSA+SHA256:RSA+SHA384:RSA+SHA512' },
    limits: { ...strict, leafKeys: ['rsa'], rsaMin: 1024, rsaMax: 2048, checksChain: false, checksDates: false, checksName: 'none' },
    webSocket: false,
    notes: ['It knows the server by the fingerprint of its public key; name, dates and CA are not looked at.'],
  },
  {
    name: 'esp8266',
    says: 'Arduino on an ESP8266: BearSSL with setTrustAnchors and a clock',
    offer: { ...twelve, ciphers: suites(chacha, gcm, cbc, withRsa), groups: 'X25519:P-256:P-384:P-521', signatures },
    limits: { ...strict, rsaMin: 1024, rsaMax: 4096, sha1: true, checksName: 'names', commonName: true },
    webSocket: false,
    notes: ['It needs the time (configTime) before it connects: until then no certificate is valid.'],
  },
  {
    name: 'mongoose-os',
    says: 'Mongoose OS: mbedTLS without a clock',
    offer: { ...twelve, ciphers: suites(gcm, cbc, withRsa), groups: 'P-256:P-384:P-521:X25519', signatures },
    limits: { ...strict, checksDates: false, checksName: 'names-only', commonName: true },
    webSocket: false,
    notes: [
      'It does not look at dates, nor at the name when mqtt.server is an address.',
      'Its key must be PEM without a passphrase. Firmware from before December 2018 takes no handshake message over 1024 bytes: use P-256 with it.',
    ],
  },
  {
    name: 'esp-idf',
    says: 'ESP-IDF 5 as it is configured: mbedTLS, TLS 1.2',
    offer: { ...twelve, ciphers: suites(gcm, chacha, cbc, withRsa), groups: 'X25519:P-256:P-384:P-521', signatures: signaturesWithPss },
    limits: { ...strict, checksDates: false, commonName: true },
    webSocket: false,
    notes: ['It looks at dates only with CONFIG_MBEDTLS_HAVE_TIME_DATE, and finds addresses in a certificate from ESP-IDF 5.2 on.'],
  },
  {
    name: 'android',
    says: 'an app on Android 10 or later',
    offer: { ...current, ciphers: suites(modern, gcm, chacha, withRsa), groups: 'X25519:P-256:P-384', signatures: signaturesWithPss },
    limits: { ...strict, rsaMin: 1024, curves: ['prime256v1', 'secp384r1', 'secp521r1'] },
    webSocket: false,
    notes: ['The app must bring the CA along, or say in its network security configuration that it trusts those of the user.'],
  },
  {
    name: 'iphone',
    says: 'an app on iOS 13 or later, and on a Mac',
    offer: { ...current, ciphers: suites(modern, gcm, chacha), groups: 'X25519:P-256:P-384:P-521', signatures: signaturesWithPss },
    limits: { ...strict, needsServerAuth: true, lifetimeDaysMax: 825 },
    webSocket: false,
    notes: ['The CA is installed as a profile, and then switched on under Settings, General, About, Certificate Trust Settings.'],
  },
  {
    name: 'java8',
    says: 'Java 8 with Paho: TLS 1.2',
    offer: { ...twelve, ciphers: suites(gcm, cbc, withRsa), groups: 'P-256:P-384:P-521', signatures },
    limits: { ...strict, rsaMin: 1024, rsaMax: 16_384, sha1: true, commonName: true },
    webSocket: false,
    notes: [],
  },
  {
    name: 'browser',
    says: 'the strictest of Chrome, Firefox and Safari: MQTT inside secure WebSocket',
    offer: { ...current, ciphers: suites(modern, gcm, chacha, withRsa), groups: 'X25519:P-256:P-384', signatures: signaturesWithPss },
    limits: { ...strict, needsServerAuth: true, lifetimeDaysMax: 825 },
    webSocket: true,
    notes: ['The CA must be among those of the system, or of Firefox: a page cannot ask about a WebSocket certificate.'],
  },
  {
    name: 'openssl',
    says: 'a program with a current OpenSSL: mosquitto_pub, Python, Node.js',
    offer: { ...current, ciphers: everything, groups: null, signatures: null },
    limits: {
      ...strict,
      leafKeys: ['rsa', 'ec', 'ed25519', 'ed448', 'rsa-pss'],
      rsaMax: 16_384,
      curves: [...strict.curves, 'brainpoolP256r1', 'brainpoolP384r1', 'brainpoolP512r1', 'secp256k1'],
      commonName: true,
    },
    webSocket: false,
    notes: [],
  },
]; // prettier-ignore
