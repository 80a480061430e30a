/** The replies of the dynamic security plugin as mosquitto_ctrl prints them. Null: not the reply it should be. */
import type { Fields } from './control-command.ts';

export function printList(data: Fields, member: string, name: string): string[] | null {
  const list = data[member];
  if (!Array.isArray(list)) return null;
  return (list as unknown[]).map(each => (isObject(each) ? each[name] : each)).filter(each => typeof each === 'string');
}

export function printClient(data: Fields, detailed: boolean): string[] | null {
  const client = data['client'];
  if (!isObject(client) || typeof client['username'] !== 'string') return null;
  const row = (label: string, value: string): string => `${label.padEnd(12)} ${value}`;
  const clientId = client['clientid'];
  return [
    row('Username:', client['username']),
    typeof clientId === 'string' ? row('Clientid:', clientId) : 'Clientid:',
    ...(typeof client['disabled'] === 'boolean' ? [row('Disabled:', String(client['disabled']))] : []),
    ...(detailed ? texts(client, row) : []),
    ...items(client['roles'], 'Roles:', row, 'rolename', true),
    ...items(client['groups'], 'Groups:', row, 'groupname', true),
    ...items(client['connections'], 'Connections:', row, 'address', false),
  ];
}

export function printGroup(data: Fields, detailed: boolean): string[] | null {
  const group = data['group'];
  if (!isObject(group) || typeof group['groupname'] !== 'string') return null;
  const row = (label: string, value: string): string => `${label.padEnd(10)} ${value}`;
  return [
    row('Groupname:', group['groupname']),
    ...(detailed ? texts(group, row) : []),
    ...items(group['roles'], 'Roles:', row, 'rolename', true),
    ...items(group['clients'], 'Clients:', row, 'username', false),
  ];
}

export function printRole(data: Fields, detailed: boolean): string[] | null {
  const role = data['role'];
  if (!isObject(role) || typeof role['rolename'] !== 'string') return null;
  const row = (label: string, value: string): string => `${label.padEnd(9)} ${value}`;
  const rules = Array.isArray(role['acls']) ? role['acls'].filter(isObject) : [];
  return [
    row('Rolename:', role['rolename']),
    ...(detailed ? texts(role, row) : []),
    ...rules.map((rule, at) => row(at === 0 ? 'ACLs:' : '', ruleText(rule))),
  ];
}

/** `deny` is as wide as `allow`, so that topics stand in one column. */
function ruleText({ acltype, allow, topic, priority }: Fields): string {
  const access = typeof allow === 'boolean' ? ` : ${allow ? 'allow' : 'deny '}` : '';
  const filter = typeof topic === 'string' ? ` : ${topic}` : '';
  return `${text(acltype).padEnd(20)}${access}${filter} (priority: ${typeof priority === 'number' ? priority : -1})`;
}

export function printGroupName(data: Fields): string[] | null {
  const group = data['group'];
  return isObject(group) && typeof group['groupname'] === 'string' ? [group['groupname']] : null;
}

export function printDefaultAccess(data: Fields): string[] | null {
  const acls = data['acls'];
  if (!Array.isArray(acls)) return null;
  const lines = acls.filter(isObject).map(({ acltype, allow }) => {
    return `${text(acltype).padEnd(20)} : ${allow === true ? 'allow' : 'deny'}`;
  });
  return lines.length === acls.length ? lines : null;
}

export function printDetails(data: Fields): string[] {
  const rows = { 'Client count:': 'clientCount', 'Group count:': 'groupCount', 'Role count:': 'roleCount' };
  return [...Object.entries(rows), ['Change index:', 'changeIndex'] as const].map(([label, member]) => {
    return `${label.padEnd(13)} ${text(data[member] ?? 0)}`;
  });
}

type Row = (label: string, value: string) => string;

/** The shell shows them; scripts that read the output of a single command do not expect them. */
function texts(of: Fields, row: Row): string[] {
  const labels: [label: string, member: string][] = [
    ['Text name:', 'textname'],
    ['Text description:', 'textdescription'],
  ];
  return labels.flatMap(([label, member]) => {
    const found = of[member];
    return typeof found === 'string' && found !== '' ? [row(label, found)] : [];
  });
}

/** The label stands before the first item; without a list it stands alone, and before an empty one not at all. */
function items(list: unknown, label: string, row: Row, name: string, withPriority: boolean): string[] {
  if (!Array.isArray(list)) return [label];
  const found = (list as unknown[]).filter(each => typeof each === 'string' || (isObject(each) && name in each));
  return found.map((each, at) => row(at === 0 ? label : '', itemText(each, name, withPriority)));
}

function itemText(item: unknown, name: string, withPriority: boolean): string {
  if (!isObject(item)) return text(item);
  return `${text(item[name])}${withPriority ? ` (priority: ${text(item['priority'] ?? -1)})` : ''}`;
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
