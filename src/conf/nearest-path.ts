/**
 * nearestExistingPath: for a path that leads nowhere, where it breaks off and what was probably meant.
 *
 *   /etc/mosquitto/ca_cetificates/mqtt_ca.crt
 *   └─ is there ─┘└─ is not ────┘            similar: ca_certificates; the file itself: /etc/mosquitto/certs/mqtt_ca.crt
 *
 * It looks into the last directory that is there and one level below it, at no more than a thousand names in all: the
 * answer has to come while somebody waits at a prompt.
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

/** Null when the path exists. */
export function nearestExistingPath(path: string): NearestPath | null {
  const whole = resolve(path);
  if (exists(whole)) return null;
  let missingPath = whole;
  while (!exists(dirname(missingPath)) && dirname(missingPath) !== missingPath) missingPath = dirname(missingPath);
  const existing = dirname(missingPath);
  const missing = basename(missingPath);
  const names = list(existing);
  const similar = names === null ? [] : nearest(missing, names);
  const candidates = names === null ? [] : findCandidates(whole, missingPath, existing, similar, names);
  return {
    existing,
    missing,
    similar,
    candidates,
    lines: sentences(path, existing, missing, similar, candidates, names),
  };
}

function exists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Null when the directory cannot be read. */
function list(directory: string): string[] | null {
  try {
    return readdirSync(directory).slice(0, namesMax);
  } catch {
    return null;
  }
}

function findCandidates(
  whole: string,
  missingPath: string,
  existing: string,
  similar: string[],
  names: string[],
): string[] {
  const below = whole.slice(missingPath.length);
  const corrected = similar.map(name => join(existing, name) + below);
  const file = basename(whole);
  const elsewhere = [existing, ...names.map(name => join(existing, name)), dirname(existing)].map(directory =>
    join(directory, file),
  );
  return [...new Set([...corrected, ...elsewhere])].filter(exists).slice(0, 5);
}

function sentences(
  path: string,
  existing: string,
  missing: string,
  similar: string[],
  candidates: string[],
  names: string[] | null,
): string[] {
  const lines = [`'${path}' is not there: '${existing}' exists, but has no '${missing}'.`];
  if (names === null) return [`'${path}' cannot be reached: '${existing}' cannot be read by this user.`];
  if (/\s#/.test(path)) lines.push('A # behind a path is part of the path: write comments on lines of their own.');
  const others = similar.filter(name => !candidates.includes(join(existing, name)));
  if (others.length > 0) lines.push(`There is ${others.map(name => `'${join(existing, name)}'`).join(' and ')}.`);
  if (candidates[0] !== undefined) lines.push(`Probably meant: '${candidates[0]}'.`);
  if (candidates.length > 1)
    lines.push(
      `Also there: ${candidates
        .slice(1)
        .map(each => `'${each}'`)
        .join(', ')}.`,
    );
  return lines;
}
