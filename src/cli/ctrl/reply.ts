/**
 * What a broker answers on a response topic, told apart:
 *
 *   {"responses":[{"command":"getClient","data":{…}}]}     the reply to a command
 *   {"responses":[{"command":"x","error":"text"}]}         its refusal
 *   anything else                                          no reply of this API
 *
 * Replies go to everybody who may read the topic, so one that names another command is somebody else's.
 */
import type { ControlCommand, Fields } from './control-command.ts';
import { isObject } from './dynsec-print.ts';

export type Reply =
  | { kind: 'done'; data: Fields | null }
  | { kind: 'refused'; command: string; error: string }
  | { kind: 'wrong'; line: string; explanation: string | null }
  | { kind: 'not ours' };

export function readReply(payload: Buffer, row: ControlCommand): Reply {
  let tree: unknown;
  try {
    tree = JSON.parse(payload.toString());
  } catch {
    return { kind: 'wrong', line: 'Error: Payload not JSON.', explanation: null };
  }
  const responses = isObject(tree) ? tree['responses'] : null;
  const response: unknown = Array.isArray(responses) ? responses[0] : null;
  if (!isObject(response) || typeof response['command'] !== 'string') {
    return { kind: 'wrong', line: 'Error: Payload missing data.', explanation: errorOf(tree) };
  }
  return replyOf(response, response['command'], row);
}

/** A broker without the API says so in words of its own. */
function errorOf(tree: unknown): string | null {
  return isObject(tree) && typeof tree['error'] === 'string' ? tree['error'] : null;
}

function replyOf(response: Fields, command: string, row: ControlCommand): Reply {
  // What could not be read at all is answered under this name.
  const isFraming = command === 'Unknown command';
  if (!isFraming && command.toLowerCase() !== row.name.toLowerCase()) return { kind: 'not ours' };
  const { error, data } = response;
  if (typeof error === 'string') return { kind: 'refused', command, error };
  return { kind: 'done', data: isObject(data) ? data : null };
}

/** The lines for standard output, or the line for standard error. */
export function linesOf(reply: Reply & { kind: 'done' }, row: ControlCommand, detailed: boolean): string[] | string {
  if (row.print === undefined) return [];
  const lines = reply.data === null ? null : row.print(reply.data, detailed);
  return lines ?? 'Error: Invalid response from server.';
}
