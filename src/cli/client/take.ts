/** What options with a value of their own make of it; each mistake in Mosquitto's words. */
import { isValidFilter, isValidTopicName } from '../../topics/mod.ts';
import type { Qos, ScramMethod } from '../../client/mod.ts';
import { invalid, type Draft, type MessageSource, type UsageError } from './draft.ts';

type Outcome = UsageError | undefined;

/** As C's atoi() reads a number: what follows it does not matter, and no number is 0. */
function atoi(text: string): number {
  return Number.parseInt(text, 10) || 0;
}

/** Not only digits: Mosquitto would take what is in front, we say what is wrong. */
function whole(text: string): number {
  return /^\s*[+-]?\d+$/.test(text) ? atoi(text) : Number.NaN;
}

function notANumber(value: string): string | null {
  return /^\s*[+-]?\d+(\.\d+)?$/.test(value) ? null : `'${value}' is not a number.`;
}

export function messageCount(draft: Draft, value: string): Outcome {
  const count = whole(value);
  if (!(count >= 1)) return invalid(`Invalid message count "${atoi(value)}".`, true, notANumber(value));
  draft.messageCount = count;
  return undefined;
}

export function keepAlive(draft: Draft, value: string): Outcome {
  const seconds = whole(value);
  if (!(seconds >= 5 && seconds <= 65_535)) {
    return invalid('Invalid keepalive given, it must be between 5 and 65535 inclusive.', true, notANumber(value));
  }
  draft.keepAlive = seconds;
  return undefined;
}

export function inflightMax(draft: Draft, value: string): Outcome {
  const count = whole(value);
  if (!(count >= 1)) return invalid('Maximum inflight messages must be greater than 0.', true, notANumber(value));
  draft.inflightMax = count;
  return undefined;
}

export function port(draft: Draft, value: string): Outcome {
  const number = whole(value);
  if (!(number >= 0 && number <= 65_535)) {
    return invalid(`Invalid port given: ${atoi(value)}`, false, notANumber(value));
  }
  draft.port = number;
  return undefined;
}

export function qos(draft: Draft, value: string): Outcome {
  const number = whole(value);
  if (!(number >= 0 && number <= 2)) return invalid(`Invalid QoS given: ${atoi(value)}`, false, 'It is 0, 1 or 2.');
  draft.qos = number as Qos;
  return undefined;
}

export function willQos(draft: Draft, value: string): Outcome {
  const number = whole(value);
  if (!(number >= 0 && number <= 2)) return invalid(`Invalid will QoS ${atoi(value)}.`, true, 'It is 0, 1 or 2.');
  draft.willQos = number as Qos;
  return undefined;
}

export function timeout(draft: Draft, value: string): Outcome {
  const seconds = whole(value);
  if (!(seconds >= 1)) return invalid(`Invalid timeout "${atoi(value)}".`, true, 'It is a number of seconds.');
  draft.timeoutSeconds = seconds;
  return undefined;
}

export function repeat(draft: Draft, value: string): Outcome {
  const count = whole(value);
  if (!(count >= 1)) return invalid('--repeat argument must be >0.', true, notANumber(value));
  draft.repeat = count;
  return undefined;
}

export function repeatDelay(draft: Draft, value: string): Outcome {
  const seconds = Number(value);
  if (value.trim() === '' || !(seconds >= 0) || !Number.isFinite(seconds)) {
    return invalid('--repeat-delay argument must be >=0.0.', true, notANumber(value));
  }
  draft.repeatDelayMs = seconds * 1000;
  return undefined;
}

export function randomFilter(draft: Draft, value: string): Outcome {
  const percent = Number(value);
  if (value.trim() === '' || !(percent >= 0.1 && percent <= 100)) {
    return invalid('--random-filter chance must be between 0.1-100.0', true, notANumber(value));
  }
  draft.randomPercent = percent;
  return undefined;
}

const retainHandlings: Record<string, 0 | 1 | 2> = { always: 0, new: 1, never: 2 };

export function retainHandling(draft: Draft, value: string): Outcome {
  const handling = Object.hasOwn(retainHandlings, value) ? retainHandlings[value] : undefined;
  if (handling === undefined) {
    return invalid(`Unknown value '${value}' for --retain-handling.`, true, 'It is always, new or never.');
  }
  draft.retainHandling = handling;
  return undefined;
}

const protocolVersions: Record<string, 3 | 4 | 5> = {
  mqttv31: 3,
  '31': 3,
  mqttv311: 4,
  '311': 4,
  mqttv5: 5,
  '5': 5,
};

export function protocolVersion(draft: Draft, value: string): Outcome {
  const version = Object.hasOwn(protocolVersions, value) ? protocolVersions[value] : undefined;
  if (version === undefined) {
    return invalid('Invalid protocol version argument given.', true, 'It is 5, 311 or 31.');
  }
  if (draft.authMethod !== undefined && version !== 5) return invalid('--auth-method needs MQTT 5.');
  draft.version = version;
  return undefined;
}

const forEver = 0xffff_ffff;

export function sessionExpiry(draft: Draft, value: string): Outcome {
  const text = value === '∞' ? '-1' : value.trim();
  if (!/^[+-]?(0x[\da-f]+|\d+)$/i.test(text)) return invalid('session-expiry-interval not a number.', true);
  const seconds = /^-/.test(text) ? -Number(text.slice(1)) : Number(text.replace(/^\+/, ''));
  if (seconds < -1 || seconds > forEver) return invalid('session-expiry-interval out of range.', true);
  draft.sessionExpiry = seconds === -1 ? forEver : seconds;
  draft.version = 5;
  return undefined;
}

export function clientId(draft: Draft, value: string): Outcome {
  if (draft.clientIdPrefix !== undefined) return invalid('-i and -I argument cannot be used together.', true);
  draft.clientId = value;
  return undefined;
}

export function clientIdPrefix(draft: Draft, value: string): Outcome {
  if (draft.clientId !== undefined) return invalid('-i and -I argument cannot be used together.', true);
  draft.clientIdPrefix = value;
  return undefined;
}

export function messageMode(draft: Draft, source: MessageSource): Outcome {
  if (draft.message !== undefined) return invalid('Only one type of message can be sent at once.', true);
  draft.message = source;
  return undefined;
}

export function text(draft: Draft, value: string): Outcome {
  return messageMode(draft, { kind: 'text', text: value });
}

export function file(draft: Draft, path: string): Outcome {
  return messageMode(draft, { kind: 'file', path });
}

/** pub and rr have one topic, sub collects filters. */
export function topic(draft: Draft, value: string, argument: string): Outcome {
  const fault = notUtf8(value, argument);
  if (fault !== undefined) return fault;
  if (draft.tool === 'sub') {
    if (!isValidFilter(value)) {
      return invalid(`Invalid subscription topic '${value}', are all '+' and '#' wildcards correct?`, false, wildcards);
    }
    draft.filters.push(value);
    return undefined;
  }
  if (!isValidTopicName(value)) return invalid(`Invalid publish topic '${value}', does it contain '+' or '#'?`);
  draft.topic = value;
  return undefined;
}

const wildcards = `'+' and '#' fill whole levels (a/+/c), and '#' is the last one (a/#).`;

export function responseTopic(draft: Draft, value: string): Outcome {
  const fault = notUtf8(value, '-e');
  if (fault !== undefined) return fault;
  if (!isValidTopicName(value)) return invalid(`Invalid response topic '${value}', does it contain '+' or '#'?`);
  draft.responseTopic = value;
  return undefined;
}

export function willTopic(draft: Draft, value: string): Outcome {
  const fault = notUtf8(value, '--will-topic');
  if (fault !== undefined) return fault;
  if (!isValidTopicName(value)) return invalid(`Invalid will topic '${value}', does it contain '+' or '#'?`);
  draft.willTopic = value;
  return undefined;
}

export function filterOut(draft: Draft, value: string): Outcome {
  const fault = notUtf8(value, '-T');
  if (fault !== undefined) return fault;
  if (!isValidFilter(value)) {
    return invalid(`Invalid filter topic '${value}', are all '+' and '#' wildcards correct?`, false, wildcards);
  }
  draft.filtersOut.push(value);
  return undefined;
}

export function unsubscribe(draft: Draft, value: string): Outcome {
  const fault = notUtf8(value, '-U');
  if (fault !== undefined) return fault;
  if (!isValidFilter(value)) {
    return invalid(`Invalid unsubscribe topic '${value}', are all '+' and '#' wildcards correct?`, false, wildcards);
  }
  draft.unsubscribe.push(value);
  return undefined;
}

/** Control and non-characters, and what Node makes of bytes that are not UTF-8: none may stand in a topic. */
const forbidden = /[\u0000-\u001f\u007f-\u009f\ufdd0-\ufdef\ufffd\ufffe\uffff]/;

function notUtf8(value: string, argument: string): Outcome {
  return forbidden.test(value) ? invalid(`Malformed UTF-8 in ${argument} argument.`, true) : undefined;
}

/** As in src/client/scram.ts, which is loaded when one of them is asked for. */
export const authMethods = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const satisfies readonly ScramMethod[];

export function authMethod(draft: Draft, value: string): UsageError | undefined {
  const method = authMethods.find(each => each === value.toUpperCase());
  if (method === undefined) return invalid(`Unknown authentication method '${value}'.`, false, `There are ${authMethods.join(' and ')}.`);
  draft.authMethod = method;
  draft.version = 5;
  return undefined;
} // prettier-ignore
