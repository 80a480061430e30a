/**
 * The `topic` line of a bridge.
 *
 *   topic pattern [out|in|both [qos [local-prefix [remote-prefix]]]]
 *   topic "pattern with spaces" in 1 "" remote/
 *
 * `""` stands for nothing. A word that begins with # ends the line, except as the pattern.
 */
import type { Argument } from './argument.ts';
import { emptyValue, type Refused, type ValueType } from './types.ts';
import { refuse } from '../error.ts';
import type { BridgeTopic } from '../settings-bridge.ts';

export type TopicLine = Omit<BridgeTopic, 'place'>;

const bad: readonly Refused[] = [
  { text: '', error: "Error: Empty 'topic' value in configuration." },
  { text: 'a sideways', error: "Error: Invalid bridge topic direction 'sideways'." },
  { text: 'a both 3', error: "Error: Invalid bridge QoS level '3'." },
  { text: 'a both 1 l/# r', error: "Error: Invalid bridge topic local prefix 'l/#'." },
  { text: 'a both 1 l r/+', error: "Error: Invalid bridge topic remote prefix 'r/+'." },
  { text: '"" both 1 l', error: 'Error: Invalid bridge remapping.' },
  { text: '"a b', error: 'Error: Missing closing quote in topic value (b).' },
];

export const bridgeTopic: ValueType<TopicLine> = {
  argument: 'pattern [out | in | both [qos [local-prefix [remote-prefix]]]]',
  good: ['#', 'a/#', 'a/# BOTH 2 l/ r/', '"" in 0 l r', '"with space" out 1 "" r/', 'a out # all of it'],
  bad,
  read(argument, name) {
    const words = quotedWords(argument);
    const pattern = words.shift() ?? emptyValue(name);
    const comment = words.findIndex(word => word.startsWith('#'));
    const [directionWord = 'out', qosWord = '0', localPrefix = '', remotePrefix = ''] = comment < 0 ? words : words.slice(0, comment); // prettier-ignore
    const topic = { pattern, direction: direction(directionWord), qos: qos(qosWord), localPrefix, remotePrefix };
    checkPrefix('local', localPrefix);
    checkPrefix('remote', remotePrefix);
    if (pattern === '' && (localPrefix === '' || remotePrefix === '')) {
      refuse('Error: Invalid bridge remapping.', 'An empty pattern maps one topic to another: it needs both prefixes.');
    }
    return topic;
  },
};

/** Words, of which the first may be in double quotes; `""` is the empty word. */
function quotedWords(argument: Argument): string[] {
  const line = argument.rest();
  const quoted = /^"([^"]+)"(?:\s+|$)/.exec(line);
  if (quoted === null && /^"[^"]/.test(line)) {
    const afterFirstWord = line.replace(/^\S+\s*/, '');
    refuse(
      `Error: Missing closing quote in topic value (${afterFirstWord}).`,
      'A pattern in quotes ends with a quote.',
    );
  }
  const rest = (quoted === null ? line : line.slice(quoted[0].length)).split(/\s+/).filter(word => word !== '');
  const words = rest.map(word => (word === '""' ? '' : word));
  return quoted?.[1] === undefined ? words : [quoted[1], ...words];
}

function direction(word: string): TopicLine['direction'] {
  const lower = word.toLowerCase();
  if (lower === 'out' || lower === 'in' || lower === 'both') return lower;
  refuse(`Error: Invalid bridge topic direction '${word}'.`, 'Write out, in or both.');
}

function qos(word: string): TopicLine['qos'] {
  if (word === '0' || word === '1' || word === '2') return word === '0' ? 0 : word === '1' ? 1 : 2;
  refuse(`Error: Invalid bridge QoS level '${word}'.`, 'Write 0, 1 or 2.');
}

function checkPrefix(side: 'local' | 'remote', prefix: string): void {
  if (!/[+#]/.test(prefix)) return;
  refuse(
    `Error: Invalid bridge topic ${side} prefix '${prefix}'.`,
    'A prefix is put in front of topic names: no + and no #.',
  );
}
