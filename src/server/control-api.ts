/** `$CONTROL/broker/v1`: what is open and what is loaded (docs/compat/dynsec.md, 10), where enable_control_api says so. */
import type { Log, ServiceRequest, TopicService } from '../broker/ports.ts';
import type { ListenerSettings, PluginKind, Settings } from '../conf/mod.ts';
import { type ControlReply, controlResponse, readControlRequest } from '../security/mod.ts';

const CONTROL_TOPIC = '$CONTROL/broker/v1';
const PAYLOAD_BYTES_MAX = 65_536;

type Fields = Record<string, unknown>;

/** Those of Mosquitto's plugins that have a name. */
const named: Readonly<Partial<Record<PluginKind, Fields>>> = {
  'dynamic-security': { name: 'dynamic-security', 'control-endpoints': ['$CONTROL/dynamic-security/v1'] },
  'password-file': { name: 'password-file' },
  'acl-file': { name: 'acl-file' },
  'sparkplug-aware': { name: 'sparkplug-aware', version: '1.0' },
};

const commands: Readonly<Record<string, (settings: Settings) => Fields>> = {
  listPlugins: ({ plugins }) => ({ plugins: plugins.flatMap(({ kind }) => named[kind] ?? []) }),
  listListeners: ({ listeners }) => ({ listeners: listeners.map(listenerFacts) }),
};

export function controlApi(settings: () => Settings, log: Log): TopicService {
  return {
    topics: [CONTROL_TOPIC],
    payloadBytesMax: PAYLOAD_BYTES_MAX,
    handle(request) {
      const { calls, refusal } = readControlRequest(request.payload);
      const replies = calls.map((call): ControlReply => {
        const { command, correlationData } = call;
        const told = correlationData === undefined ? {} : { correlationData };
        return { command, ...answer(command, settings(), request, log), ...told };
      });
      request.reply(controlResponse(refusal === null ? replies : [...replies, refusal]));
    },
  };
}

function answer(command: string, settings: Settings, { who }: ServiceRequest, log: Log): Omit<ControlReply, 'command'> {
  const name = Object.keys(commands).find(each => each.toLowerCase() === command.toLowerCase());
  if (name === undefined) return { error: 'Unknown command' };
  log.write('information', `Broker: ${who.clientId}/${who.username ?? '(null)'} | ${name}`, {
    code: 'broker.control',
    client: who.clientId,
    user: who.username,
  });
  return { data: commands[name]!(settings) };
}

function listenerFacts({ port, host, unixPath, protocol, certfile, pskHint }: ListenerSettings): Fields {
  const words = { mqtt: 'mqtt', websockets: 'mqtt+websockets', http_api: undefined };
  return {
    port,
    protocol: words[protocol],
    'bind-address': host ?? undefined,
    'socket-path': unixPath ?? undefined,
    tls: certfile !== null || pskHint !== null,
  };
}
