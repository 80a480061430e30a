/**
 * What a bug report needs, each part as a file of text. A part that cannot be had says why and the others are there all
 * the same: a broker that does not start is just what somebody reports.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { OperatorsClient } from '../../admin/mod.ts';
import { findingLines } from '../../base/mod.ts';
import { type EventRecord, recordsOf, sentenceOf, timeText } from '../../observability/recorder/mod.ts';
import { productVersion } from '../../server/process/mod.ts';
import type { Call } from '../ca/subcommand.ts';
import { answerText, socketOf } from '../operate/ask-broker.ts';
import { recordPlace } from '../what/place.ts';
import { privateFilesIn, scrubbed, secretsIn } from './secrets.ts';

export interface Part {
  name: string;
  says: string;
  content: string;
}

/** The last so many events. */
const EVENTS_MAX = 5000;

export async function collect(call: Call): Promise<Part[]> {
  const home = call.value('--config-file') === null ? call.home.folder : null;
  const configuration = call.value('--config-file') ?? path.join(home!, 'zancudo.conf');
  const { text, secrets } = await configurationPart(configuration, home);
  const parts: Part[] = [
    { name: 'versions.txt', says: 'program, Node and machine', content: versions(call) },
    { name: 'configuration.txt', says: 'options; texts that may be secret are hidden, comments left out', content: text },
    { name: 'doctor.txt', says: 'what zancudo doctor finds', content: await doctor(configuration, home, call) },
    { name: 'events.txt', says: `the last ${EVENTS_MAX} events of the flight recorder, without payloads`, content: await events(call) },
    ...(await fromBroker(call)),
  ];
  return parts.map(part => ({ ...part, content: scrubbed(part.content, secrets) }));
} // prettier-ignore

function versions(call: Call): string {
  const { node, openssl, v8 } = process.versions;
  const rows = {
    zancudo: productVersion(),
    node: `${node}, V8 ${v8}, OpenSSL ${openssl}`,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    distribution: distribution(),
    processors: `${os.availableParallelism()} x ${os.cpus()[0]?.model ?? 'unknown'}`,
    memory: `${Math.round(os.totalmem() / 1e6)} MB, ${Math.round(os.freemem() / 1e6)} MB free`,
    time: `${new Date(call.context.wall()).toISOString()}, ${Intl.DateTimeFormat().resolvedOptions().timeZone}`,
    'machine is up for': `${Math.round(os.uptime() / 3600)} h`,
  };
  return Object.entries(rows).map(([name, value]) => `${name}: ${value}\n`).join(''); // prettier-ignore
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(fs.readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

async function configurationPart(file: string, home: string | null): Promise<{ text: string; secrets: Set<string> }> {
  const { loadConfiguration, redactedConfiguration, secretFiles } = await import('../../conf/mod.ts');
  try {
    const files = redactedConfiguration(file);
    const result = loadConfiguration(file, { ports: [], home });
    const named = result.ok ? secretFiles(result.settings) : [];
    const secrets = secretsIn([...named, ...(home === null ? [] : privateFilesIn(home))]);
    // Short ones, such as `on`, are found in every other word.
    for (const hidden of files.flatMap(each => each.hidden)) if (hidden.length >= 6) secrets.add(hidden);
    const text = files.map(({ file: name, lines }) => `${name}\n${lines.map(line => `  ${line}\n`).join('')}`).join('\n');
    const verdict = result.ok ? 'It can be read.\n' : 'It cannot be read; what is wrong is in doctor.txt.\n';
    return { text: `${text}\n${verdict}`, secrets };
  } catch (error) {
    const secrets = home === null ? new Set<string>() : secretsIn(privateFilesIn(home));
    return { text: notHad(error), secrets };
  }
} // prettier-ignore

async function doctor(configuration: string, home: string | null, call: Call): Promise<string> {
  const { examine, examineHome } = await import('../doctor/examine.ts');
  const now = call.context.wall();
  try {
    const { what, findings } = home === null ? examine(path.resolve(configuration), now) : examineHome(home, now);
    const texts = findings.map(finding => `${finding.severity} ${finding.code}\n${findingLines(finding).join('\n')}\n`);
    return [`Looked at ${what}: ${findings.length} findings.\n`, ...texts].join('\n');
  } catch (error) {
    return notHad(error);
  }
}

async function events(call: Call): Promise<string> {
  try {
    const place = await recordPlace(call);
    if ('lines' in place || place.folder === null) return 'This broker has no files of a flight recorder.\n';
    const last: string[] = [];
    for (const { at, event, facts } of recordsOf(place.folder)) {
      // Whoever armed a trace wanted to see payloads; nobody else should.
      const told: EventRecord['facts'] = { ...facts, payload: undefined };
      const client = told['client'] === undefined ? '' : ` ${String(told['client'])}:`;
      last.push(`${timeText(at)} ${event}${client} ${sentenceOf({ at, event, facts: told })}\n`);
      if (last.length > EVENTS_MAX * 2) last.splice(0, EVENTS_MAX);
    }
    return last.slice(-EVENTS_MAX).join('');
  } catch (error) {
    return notHad(error);
  }
}

const asked = [
  { name: 'status.json', says: 'what zancudo status shows', path: '/v1/status' },
  { name: 'drops.json', says: 'messages that were dropped, by client and cause', path: '/v1/drops' },
  { name: 'bridges.json', says: 'bridges and their last errors', path: '/v1/bridges' },
  { name: 'metrics.txt', says: 'counters', path: '/metrics' },
];

/** What only a broker that runs can say. */
async function fromBroker(call: Call): Promise<Part[]> {
  const { AskError, OperatorsClient } = await import('../../admin/mod.ts');
  try {
    const place = await socketOf(call);
    if ('lines' in place) return [{ name: 'status.txt', says: 'why there is no status', content: `${place.lines.join('\n')}\n` }];
    const broker: OperatorsClient = new OperatorsClient(place.socket);
    const parts: Part[] = [];
    for (const { path: from, ...part } of asked) parts.push({ ...part, content: await broker.text(from) });
    return parts;
  } catch (error) {
    const why = error instanceof AskError ? answerText(error) : (error as Error).message;
    return [{ name: 'status.txt', says: 'why there is no status', content: `The broker that runs could not be asked: ${why}\n` }];
  }
} // prettier-ignore

function notHad(error: unknown): string {
  return `This could not be had: ${error instanceof Error ? error.message : String(error)}\n`;
}
