/** What can only be judged when the whole file is read: files that go together, bridges that lack something. */
import { hostname } from 'node:os';
import { ConfError, placeText } from './error.ts';
import type { Reading, Unfulfilled } from './reading.ts';
import type { BridgeSettings } from './settings-bridge.ts';
import { listenerKey, type ListenerSettings, type Place, type Settings } from './settings.ts';

interface Rule<T> {
  broken: (thing: T) => boolean;
  line: string;
  remedy: string;
}

const bridgeRules: readonly Rule<BridgeSettings>[] = [
  {
    broken: bridge => bridge.addresses.length === 0,
    line: 'Error: Invalid bridge configuration: no remote addresses defined.',
    remedy: "Write 'address HOST:PORT' below the connection line.",
  },
  {
    broken: bridge => bridge.topics.length === 0,
    line: 'Error: Invalid bridge configuration: no topics defined.',
    remedy: "Write at least one 'topic' line below the connection line.",
  },
  {
    broken: bridge => bridge.psk !== null && bridge.identity === null,
    line: 'Error: Invalid bridge configuration: missing bridge_identity.',
    remedy: 'bridge_psk and bridge_identity go together.',
  },
  {
    broken: bridge => bridge.identity !== null && bridge.psk === null,
    line: 'Error: Invalid bridge configuration: missing bridge_psk.',
    remedy: 'bridge_psk and bridge_identity go together.',
  },
  {
    broken: bridge => bridge.requireOcsp && !hasCertificates(bridge),
    line: 'Error: Invalid bridge configuration: bridge_require_ocsp without certificates.',
    remedy: 'It is about the certificate of the other broker: write bridge_cafile, and no bridge_psk.',
  },
];

function hasCertificates({ cafile, capath, useOsCerts, psk }: BridgeSettings): boolean {
  return psk === null && (cafile !== null || capath !== null || useOsCerts);
}

const listenerRules: readonly Rule<ListenerSettings>[] = [
  {
    broken: ({ certfile, keyfile }) => (certfile === null) !== (keyfile === null),
    line: 'Error: Both certfile and keyfile must be provided to enable a TLS listener.',
    remedy: 'The certificate and its private key go together.',
  },
  {
    broken: ({ cafile, certfile }) => cafile !== null && certfile === null,
    line: 'Error: cafile specified without certfile and keyfile.',
    remedy: 'cafile says whose clients are let in; TLS itself needs certfile and keyfile of this server.',
  },
  {
    broken: ({ capath, certfile }) => capath !== null && certfile === null,
    line: 'Error: capath specified without certfile and keyfile.',
    remedy: 'capath says whose clients are let in; TLS itself needs certfile and keyfile of this server.',
  },
  {
    broken: ({ certfileRsa, keyfileRsa, certfile }) =>
      (certfileRsa === null) !== (keyfileRsa === null) || (certfileRsa !== null && certfile === null),
    line: 'Error: certfile_rsa and keyfile_rsa must both be provided, besides certfile and keyfile.',
    remedy: 'They are a second chain; with one chain only, call it certfile and keyfile.',
  },
  {
    broken: ({ pskHint, certfile }) => pskHint !== null && certfile !== null,
    line: 'Error: Cannot use both certificate and psk encryption in a single listener.',
    remedy: 'Give the pre-shared keys a listener of their own.',
  },
  {
    broken: listener => listener.enableProxyProtocol === 2 && listener.useSubjectAsUsername,
    line: 'Error: use_subject_as_username cannot be used with `enable_proxy_protocol 2`.',
    remedy: 'A PROXY header brings the common name only: use_identity_as_username works.',
  },
  {
    broken: listener => listener.enableProxyProtocol === 2 && listener.certfile !== null,
    line: 'Error: certfile and keyfile cannot be used with `enable_proxy_protocol 2`.',
    remedy: 'The proxy ends TLS; behind it the connection is plain.',
  },
];

/** Mosquitto names no place for these; ours stands in the explanation. */
function breakRule(rule: Rule<never>, place: Place | null): never {
  throw new ConfError([rule.line], [rule.remedy, ...(place === null ? [] : [`Look at ${placeText(place)}.`])]);
}

export function checkWhole({ settings }: Reading): void {
  for (const bridge of settings.bridges) {
    for (const rule of bridgeRules) if (rule.broken(bridge)) breakRule(rule, bridge.place);
  }
  checkBridgeIds(settings);
  for (const listener of settings.listeners) {
    for (const rule of listenerRules) if (rule.broken(listener)) breakRule(rule, listener.place);
  }
}

/** Two lines for one port can only fail when the second is opened; here their places are still known. */
export function warnOfTwins(reading: Reading): void {
  const first = new Map<string, Place>();
  for (const listener of reading.settings.listeners) {
    const key = listenerKey(listener);
    const before = first.get(key);
    if (listener.place === null) continue;
    if (before === undefined) first.set(key, listener.place);
    else
      reading.say(
        'warning',
        `${placeText(listener.place)}: ${key} is opened at ${placeText(before)} already; one of the two will fail.`,
      );
  }
}

/** In builds of Mosquitto with libwebsockets a websockets listener serves files; in 2.1 and here only http_api does. */
export function warnOfIdleFolders(reading: Reading): void {
  for (const listener of reading.settings.listeners) {
    const place = listener.places['http_dir'];
    if (listener.httpDir === null || place === undefined || listener.protocol === 'http_api') continue;
    const why = `${listenerKey(listener)} speaks ${listener.protocol}, and files are served by 'protocol http_api' alone`;
    reading.say('warning', `${placeText(place)}: 'http_dir' has no effect here: ${why}.`);
  }
}

function checkBridgeIds({ bridges }: Settings): void {
  const seen = new Set<string>();
  for (const { name, localClientId, remoteClientId, place } of bridges) {
    const id = localClientId ?? `local.${remoteClientId ?? `${hostname()}.${name}`}`;
    if (seen.has(id)) {
      const line = `Error: Bridge local_clientid '${id}' is not unique. Try changing or setting the local_clientid value for one of the bridges.`;
      throw new ConfError([line], [`Look at ${placeText(place)}.`]);
    }
    seen.add(id);
  }
}

/** Says of every option that does nothing why, and refuses the file for those that would be missed. */
export function answerUnfulfilled(reading: Reading): void {
  for (const { option, fate, place } of reading.unfulfilled) {
    if (fate.kind === 'without effect')
      reading.say('warning', `${placeText(place)}: '${option}' has no effect here: ${fate.why}.`);
  }
  const missed = reading.unfulfilled.filter(({ fate }) => fate.kind === 'refused');
  const [first] = missed;
  if (first === undefined) return;
  throw new ConfError([`Error: '${first.option}' cannot be used with Zancudo.`], explainMissed(missed), 3, first.place);
}

/** One sentence for each reason, with the options it stands for. */
function explainMissed(missed: readonly Unfulfilled[]): string[] {
  const byReason = Map.groupBy(missed, missedReason);
  return [...byReason].map(([reason, of]) => {
    const [first] = of;
    const options = [...new Set(of.map(({ option }) => `'${option}'`))].join(', ');
    return `${first === undefined ? '' : placeText(first.place)}: ${options}: ${reason}`;
  });
}

function missedReason({ fate }: Unfulfilled): string {
  return 'why' in fate ? `${fate.why}.` : '';
}
