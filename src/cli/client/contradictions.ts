/** Options that do not go together, and those that must; in the order in which Mosquitto looks. */
import { invalid, type Draft, type UsageError } from './draft.ts';

const forEver = 0xffff_ffff;

type Check = (draft: Draft) => UsageError | null;

const checks: readonly Check[] = [
  when(d => d.willPayload !== undefined && d.willTopic === undefined, 'Will payload given, but no will topic given.'),
  when(d => d.willRetain && d.willTopic === undefined, 'Will retain given, but no will topic given.'),
  when(
    d => (d.certfile === undefined) !== (d.keyfile === undefined),
    'Both certfile and keyfile must be provided if one of them is set.',
  ),
  when(d => d.keyform !== undefined && d.keyfile === undefined, 'If keyform is set, keyfile must be also specified.'),
  when(
    d => d.tlsEngineKpassSha1 !== undefined && (d.keyform === undefined || d.tlsEngine === undefined),
    'when using tls-engine-kpass-sha1, both tls-engine and keyform must also be provided.',
  ),
  when(
    d => (d.cafile !== undefined || d.capath !== undefined) && d.psk !== undefined,
    'Only one of --psk or --cafile/--capath may be used at once.',
  ),
  when(d => d.psk !== undefined && d.pskIdentity === undefined, '--psk-identity required if --psk used.'),
  lastingSession,
  when(
    d => d.tool === 'sub' && d.filters.length === 0 && d.unsubscribe.length === 0,
    'You must specify a topic to subscribe to (-t) or unsubscribe from (-U).',
  ),
];

export function contradiction(draft: Draft): UsageError | null {
  for (const check of checks) {
    const found = check(draft);
    if (found !== null) return found;
  }
  return null;
}

function when(applies: (draft: Draft) => boolean, text: string): Check {
  return draft => (applies(draft) ? invalid(text) : null);
}

/** A session that lasts needs a client who is always called the same. */
function lastingSession(draft: Draft): UsageError | null {
  const named = draft.clientId !== undefined;
  if (draft.version !== 5) {
    if (draft.cleanStart || named) return null;
    return invalid('You must provide a client id if you are using the -c option.');
  }
  if (!draft.cleanStart) draft.sessionExpiry ??= forEver;
  if (draft.sessionExpiry !== forEver || named) return null;
  return invalid('You must provide a client id if you are using an infinite session expiry interval.');
}
