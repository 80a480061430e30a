/**
 * Reads a configuration to its end in spite of its faults, so that one look finds all of them.
 *
 *   FILE ── loadConfiguration ── fault in line 7? ── a copy without line 7 ── loadConfiguration ── fault in line 12? ...
 *
 * A line that opens something (`listener`, `connection`, `plugin`) cannot be left out: the lines below it would be found
 * wrong for want of it. Then, and at a fault of the whole file, the reading ends.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Finding } from '../../base/mod.ts';
import { loadConfiguration, type ConfFailure, type ConfMessage, type Settings } from '../../conf/mod.ts';
import { shellWord } from '../../pki/mod.ts';

export interface Reading {
  /** Null when the file cannot be read to its end. */
  settings: Settings | null;
  findings: Finding[];
}

/** More faults than this are another kind of file. */
const faultsMax = 25;

export function readThrough(file: string): Reading {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'zancudo-doctor-'));
  try {
    return readLeavingOut(file, path.join(folder, 'copy.conf'));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function readLeavingOut(file: string, copy: string): Reading {
  const findings: Finding[] = [];
  let result = loadConfiguration(file, { ports: [] });
  const lines = result.ok ? [] : linesOf(file);
  while (!result.ok) {
    const place = placeOf(result.failure, copy, file);
    findings.push(refusal(result.failure, place, file, copy));
    if (place?.file !== file || findings.length >= faultsMax || opens(lines[place.line - 1])) break;
    lines[place.line - 1] = '';
    fs.writeFileSync(copy, lines.join('\n'), { encoding: 'latin1', mode: 0o600 });
    result = loadConfiguration(copy, { ports: [] });
  }
  const messages = result.messages.map(each => ({ ...each, text: each.text.replaceAll(copy, file) }));
  findings.push(...remarks(messages, file));
  return { settings: result.ok ? withPath(result.settings, file) : null, findings };
}

function linesOf(file: string): string[] {
  try {
    return fs.readFileSync(file, 'latin1').split('\n');
  } catch {
    return [];
  }
}

function withPath(settings: Settings, file: string): Settings {
  return { ...settings, path: file };
}

function opens(line: string | undefined): boolean {
  return (
    line === undefined || /^\s*(listener|port|connection|plugin|global_plugin|plugin_load|include_dir)\b/.test(line)
  );
}

interface FoundAt {
  file: string;
  line: number;
}

/** The first `Error found at` names the line itself, the ones after it how it came to be read. */
function placeOf({ lines }: ConfFailure, copy: string, file: string): FoundAt | null {
  for (const line of lines) {
    const match = /^Error found at '?(.*):(\d+)'?\.$/.exec(line);
    if (match) return { file: match[1] === copy ? file : (match[1] ?? ''), line: Number(match[2]) };
  }
  return null;
}

function refusal({ lines, explanation }: ConfFailure, place: FoundAt | null, file: string, copy: string): Finding {
  const said = lines.filter(line => !line.startsWith('Error found at')).map(line => line.replace(/^Error: /, ''));
  return {
    code: 'conf.refused',
    severity: 'error',
    where: place === null ? file : `${place.file}:${place.line}`,
    saw: said.join(' ').replace(/\.$/, ''),
    why: 'The broker does not start with this.',
    remedy: explanation.map(line => line.replaceAll(copy, file)),
  };
}

/** What a message is about, where the doctor can mend it or knows it better. */
const known: readonly { code: string; matches: RegExp; why: string }[] = [
  {
    code: 'conf.odd-blanks',
    matches: /found (a|an) .* where Mosquitto wants a space|byte order mark/,
    why: 'Zancudo reads it as it was meant; Mosquitto refuses the file.',
  },
  {
    code: 'conf.tls-version-obsolete',
    matches: /asks for a version of TLS that is obsolete/,
    why: 'Mosquitto 2 refuses the file, and clients that ask for such a version are refused, too.',
  },
  {
    code: 'conf.option-gone',
    matches: /is no longer available|has no effect here/,
    why: 'The line does nothing; it is there from an older version.',
  },
];

/** A message is one line, and the indented ones that follow it. */
function remarks(messages: readonly ConfMessage[], file: string): Finding[] {
  const findings: Finding[] = [];
  for (const { as, text } of messages) {
    const last = findings.at(-1);
    if (/^\s/.test(text) && last) last.remedy.push(text.trim());
    else if (as === 'warning' || as === 'error') findings.push(remark(text, file));
  }
  for (const { code, where, remedy } of findings) {
    if (where !== file && code !== 'conf.remark') remedy.push(`zancudo doctor ${shellWord(file)} --fix`);
  }
  return findings.filter(
    each => each.where !== file || !findings.some(other => other.where !== file && isAboutSame(each, other)),
  );
}

/** Mosquitto's own line about an option that is gone names no place; ours does. */
function isAboutSame(one: Finding, other: Finding): boolean {
  const option = /'(\w+)' option/.exec(one.saw)?.[1];
  return one.code === other.code && option !== undefined && other.saw.includes(`'${option}'`);
}

function remark(text: string, file: string): Finding {
  const match = /^(.+?:[\d,]+(?: and \d+ more)?): (.*)$/.exec(text);
  const [where, saw] = match ? [match[1] ?? file, match[2] ?? text] : [file, text.replace(/^Warning: /, '')];
  const row = known.find(each => each.matches.test(text));
  return {
    code: row?.code ?? 'conf.remark',
    severity: 'warning',
    where,
    saw: saw.replace(/\.$/, ''),
    why: row?.why ?? 'The file may not do what its author meant.',
    remedy: [],
  };
}
