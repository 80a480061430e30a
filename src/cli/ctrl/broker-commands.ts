/** The commands of the broker itself (option enable_control_api). */
import type { ControlModule, Fields } from './control-command.ts';
import { isObject } from './dynsec-print.ts';

export const brokerModule: ControlModule = {
  name: 'broker',
  requestTopic: '$CONTROL/broker/v1',
  responseTopic: '$CONTROL/broker/v1/response',
  commands: [
    {
      name: 'listPlugins',
      chapter: 'Broker',
      says: 'List the plugins that have a name, and their control topics.',
      arguments: [],
      print: printPlugins,
    },
    {
      name: 'listListeners',
      chapter: 'Broker',
      says: 'List the open ports and sockets.',
      arguments: [],
      print: printListeners,
    },
  ],
  whenSilent: "Does the broker's configuration say 'enable_control_api true', and may this user publish there?",
};

const row = (label: string, value: string): string => `${label.padEnd(18)} ${value}`;

function printPlugins(data: Fields): string[] | null {
  const plugins = data['plugins'];
  if (!Array.isArray(plugins)) return null;
  const lines: string[] = [];
  for (const plugin of plugins as unknown[]) {
    if (!isObject(plugin) || typeof plugin['name'] !== 'string') return null;
    lines.push(row('Plugin:', plugin['name']));
    if (typeof plugin['version'] === 'string') lines.push(row('Version:', plugin['version']));
    const topics = plugin['control-endpoints'];
    const endpoints = Array.isArray(topics) ? topics.filter(each => typeof each === 'string') : [];
    lines.push(...endpoints.map((topic, at) => row(at === 0 ? 'Control endpoints:' : '', topic)));
  }
  return lines;
}

const listenerRows: readonly [label: string, member: string][] = [
  ['  Port:', 'port'],
  ['  Protocol:', 'protocol'],
  ['  Socket path:', 'socket-path'],
  ['  Bind address:', 'bind-address'],
];

function printListeners(data: Fields): string[] | null {
  const listeners = data['listeners'];
  if (!Array.isArray(listeners)) return null;
  return (listeners as unknown[]).filter(isObject).flatMap((listener, at) => {
    const rows = listenerRows.flatMap(([label, member]) => {
      const value = listener[member];
      return typeof value === 'string' || typeof value === 'number' ? [`${label.padEnd(20)} ${value}`] : [];
    });
    return [`Listener ${at + 1}:`, ...rows, `${'  TLS:'.padEnd(20)} ${listener['tls'] === true}`, ''];
  });
}
