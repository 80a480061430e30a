/** What an import says of itself, to the log of a broker or to a terminal. */
import type { Tally } from './entry-writer.ts';

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function tallyText({ sessions, subscriptions, retained, waiting, exchanges, wills }: Tally): string {
  return [
    counted(sessions, 'session'),
    counted(subscriptions, 'subscription'),
    counted(retained, 'retained message'),
    `${counted(waiting, 'message')} waiting for clients`,
    ...(exchanges > 0 ? [`${counted(exchanges, 'QoS 2 exchange')} open`] : []),
    ...(wills > 0 ? [counted(wills, 'will')] : []),
  ].join(', ');
}

/** What stayed as it was and what made no sense; empty when there is nothing to say. */
export function remarkLines({ stayed, stayedSessions, stayedTopics, unusable }: Tally): string[] {
  const named = [...stayedSessions, ...stayedTopics].map(name => `'${name}'`).join(', ');
  const more = stayed > stayedSessions.length + stayedTopics.length ? ', …' : '';
  return [
    ...(stayed > 0
      ? [`${stayed} were there already and stayed as they are: ${named}${more}. --replace takes those of the file.`]
      : []),
    ...(unusable > 0 ? [`${unusable} entries point to nothing or break the rules of MQTT: left out.`] : []),
  ];
}
