/**
 * Something to be fetched once: a device's kit, with its private key in it, waiting in the home until somebody who has
 * the token comes for it.
 *
 *   parcels/<SHA-256 of the token>   { until, name, salt, nonce, tag, sealed }     AES-256-GCM
 *
 * The key is derived from the token, which is kept nowhere: whoever reads the file, or a copy of the disk, has nothing.
 * Taking renames the file first, so that of two who come at once one gets it.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { readIfThere, type FileStore } from '../key-store.ts';
import { newToken, tokenHash, tokenLetters } from './token.ts';

export interface Parcel {
  name: string;
  /** Unix time in milliseconds. */
  until: number;
}

export interface TakenParcel extends Parcel {
  content: Buffer;
  /** It has left the house: nothing of it remains. */
  done(): void;
  /** It did not get through: it may be fetched again. */
  putBack(): void;
}

interface ParcelFile extends Parcel {
  salt: string;
  nonce: string;
  tag: string;
  /** Base64, as are the three above. */
  sealed: string;
}

const algorithm = 'aes-256-gcm';
const taken = '.taken';
const parcelFolder = (home: string): string => path.join(home, 'parcels');

/** Returns the token. */
export function leaveParcel(home: string, store: FileStore, parcel: Parcel, content: Buffer): string {
  const token = newToken();
  const [salt, nonce] = [randomBytes(16), randomBytes(12)];
  const cipher = createCipheriv(algorithm, keyOf(token, salt), nonce);
  cipher.setAAD(openPart(parcel));
  const sealed = Buffer.concat([cipher.update(content), cipher.final()]);
  const file: ParcelFile = {
    ...parcel,
    salt: salt.toString('base64'),
    nonce: nonce.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
    sealed: sealed.toString('base64'),
  };
  store.makeFolder(parcelFolder(home));
  store.write(fileOf(home, token)!, JSON.stringify(file));
  return token;
}

/** What is in it and until when, without taking it; null when there is none, or no longer. */
export function lookAtParcel(home: string, token: string, now: number): Parcel | null {
  const file = fileOf(home, token);
  const parcel = file === null ? null : readParcel(file);
  if (parcel === null || parcel.until < now) return null;
  return { name: parcel.name, until: parcel.until };
}

export function takeParcel(home: string, token: string, now: number): TakenParcel | null {
  const file = fileOf(home, token);
  if (file === null || lookAtParcel(home, token, now) === null || !renamed(file, `${file}${taken}`)) return null;
  const parcel = readParcel(`${file}${taken}`);
  const content = parcel === null ? null : opened(parcel, token);
  if (parcel === null || content === null) return null;
  return {
    name: parcel.name,
    until: parcel.until,
    content,
    done: () => fs.rmSync(`${file}${taken}`, { force: true }),
    putBack: () => void renamed(`${file}${taken}`, file),
  };
}

/** Deletes what nobody has come for in time, and what was fetched when the process ended. */
export function sweepParcels(home: string, now: number): void {
  const folder = parcelFolder(home);
  if (!fs.existsSync(folder)) return;
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name);
    const age = now - (fs.statSync(file, { throwIfNoEntry: false })?.ctimeMs ?? now);
    const over = /^[0-9a-f]{64}$/.test(name) ? (readParcel(file)?.until ?? 0) < now : age > leftoverMs;
    if (over) fs.rmSync(file, { force: true });
  }
}

/** Longer than any download or write takes. */
const leftoverMs = 300_000;

function fileOf(home: string, token: string): string | null {
  const hash = tokenHash(token);
  return hash === null ? null : path.join(parcelFolder(home), hash);
}

function keyOf(token: string, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', tokenLetters(token) ?? '', salt, 'zancudo parcel 1', 32));
}

/** What everybody may read, but nobody change. */
const openPart = ({ name, until }: Parcel): Buffer => Buffer.from(JSON.stringify([name, until]));

function opened(parcel: ParcelFile, token: string): Buffer | null {
  const [salt, nonce, tag, sealed] = [parcel.salt, parcel.nonce, parcel.tag, parcel.sealed].map(each => Buffer.from(each, 'base64')); // prettier-ignore
  try {
    const cipher = createDecipheriv(algorithm, keyOf(token, salt!), nonce!);
    cipher.setAAD(openPart(parcel));
    cipher.setAuthTag(tag!);
    return Buffer.concat([cipher.update(sealed!), cipher.final()]);
  } catch {
    return null;
  }
}

function readParcel(file: string): ParcelFile | null {
  try {
    return JSON.parse(readIfThere(file) ?? 'null') as ParcelFile | null;
  } catch {
    return null;
  }
}

function renamed(from: string, to: string): boolean {
  try {
    fs.renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}
