/**
 * nearestExistingPath: for a path that leads nowhere, where it breaks off and what was probably meant.
 *
 *   /etc/mosquitto/ca_cetificates/mqtt_ca.crt
 *   └─ is there ─┘└─ is not ────┘            similar: ca_certificates; the file itself: /etc/mosquitto/certs/mqtt_ca.crt
 *
 * It looks into the last directory that is there, the one above it, and one level below both, at no more than a thousand
 * names each: the answer has to come while somebody waits at a prompt.
 */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { nearest } from './did-you-mean.ts';

export interface NearestPath {
  /** The last directory of the path that exists. */
  existing: string;
  /** The first part of the path that does not. */
  missing: string;
  /** Names in `existing` spelled like `missing`. */
  similar: string[];
  /** Existing files that may be meant, the likeliest first. */
  candidates: string[];
  /** The same in sentences, for the log. */
  lines: string[];
}

const namesMax = 1000;
const candidatesMax = 5;

/** Where a path breaks off. */
interface Break {
  /** The path as written, and as an absolute one. */
  path: string;
  whole: string;
  existing: string;
  missing: string;
  /** What follows the missing part. */
  below: string;
  /** What is in `existing`; null when it cannot be read. */
  names: string[] | null;
}

/** Null when the path exists. */
export function nearestExistingPath(path: string): NearestPath | null {
  const found = findBreak(path);
  if (found === null) return null;
  const { existing, missing, names } = found;
  const similar = names === null ? [] : nearest(missing, names);
  const candidates = names === null ? [] : findCandidates(found, similar);
  return { existing, missing, similar, candidates, lines: sentences(found, similar, candidates) };
}

function findBreak(path: string): Break | null {
  const whole = resolve(path);
  if (exists(whole)) return null;
  let broken = whole;
  while (!exists(dirname(broken)) && dirname(broken) !== broken) broken = dirname(broken);
  const existing = dirname(broken);
  return { path, whole, existing, missing: basename(broken), below: whole.slice(broken.length), names: list(existing) };
}

function exists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch {
    return false;
  }
}

function list(directory: string): string[] | null {
  try {
    return readdirSync(directory).slice(0, namesMax);
  } catch {
    return null;
  }
}

/** The same path without the comment or with the missing part corrected; then a file of that name in the neighbourhood. */
function findCandidates({ whole, existing, below }: Break, similar: string[]): string[] {
  const corrected = similar.map(name => join(existing, name) + below);
  const places = [existing, dirname(existing)].flatMap(place => [place, ...children(place)]);
  const elsewhere = places.map(place => join(place, basename(whole)));
  const all = [withoutComment(whole), ...corrected, ...elsewhere];
  return [...new Set(all)].filter(exists).slice(0, candidatesMax);
}

const children = (directory: string): string[] => (list(directory) ?? []).map(name => join(directory, name));

const withoutComment = (path: string): string => path.replace(/\s+#.*$/, '');

function sentences({ path, existing, missing, names }: Break, similar: string[], candidates: string[]): string[] {
  if (names === null) return [`'${path}' cannot be reached: '${existing}' cannot be read by this user.`];
  const lines = [`'${path}' is not there: '${existing}' exists, but has no '${missing}'.`];
  if (withoutComment(path) !== path) {
    lines.push('A # behind a path is part of the path: write comments on lines of their own.');
  }
  const others = similar.map(name => join(existing, name)).filter(name => !candidates.includes(name));
  const [first, ...more] = candidates;
  if (others.length > 0) lines.push(`There is ${quoted(others)}.`);
  if (first !== undefined) lines.push(`Probably meant: '${first}'.`);
  if (more.length > 0) lines.push(`Also there: ${quoted(more)}.`);
  return lines;
}

const quoted = (paths: readonly string[]): string => paths.map(path => `'${path}'`).join(', ');
