/**
 * Message properties as Mosquitto's SQLite plugin writes them: a JSON array in packet order, binary data as upper-case
 * hexadecimal (docs/compat/persist-sqlite.md, 6). Only what travels with a message occurs.
 */
import { ByteReader, ByteWriter } from '../codec/mod.ts';

interface StoredProperty {
  identifier: string;
  name?: unknown;
  value?: unknown;
}

type Kind = 'number' | 'text' | 'hex' | 'pair';

const rows: readonly { id: number; identifier: string; kind: Kind }[] = [
  { id: 0x01, identifier: 'payload-format-indicator', kind: 'number' },
  { id: 0x03, identifier: 'content-type', kind: 'text' },
  { id: 0x08, identifier: 'response-topic', kind: 'text' },
  { id: 0x09, identifier: 'correlation-data', kind: 'hex' },
  { id: 0x26, identifier: 'user-property', kind: 'pair' },
];

/** Null when there are none. */
export function propertiesToJson(properties: Buffer): string | null {
  if (properties.length === 0) return null;
  const reader = new ByteReader(properties);
  const list: StoredProperty[] = [];
  while (reader.left > 0) list.push(readOne(reader));
  return JSON.stringify(list);
}

function readOne(reader: ByteReader): StoredProperty {
  const id = reader.byte();
  const row = rows.find(candidate => candidate.id === id)!;
  if (row.kind === 'pair') return { identifier: row.identifier, name: reader.string(), value: reader.string() };
  return { identifier: row.identifier, value: readValue(reader, row.kind) };
}

function readValue(reader: ByteReader, kind: Exclude<Kind, 'pair'>): string | number {
  if (kind === 'number') return reader.byte();
  return kind === 'text' ? reader.string() : reader.binary().toString('hex').toUpperCase();
}

/** What is not one of ours, or of the wrong type, is left out, as the plugin does. */
export function propertiesFromJson(text: string): Buffer {
  const writer = new ByteWriter();
  for (const property of parsed(text)) writeOne(writer, property);
  return Buffer.from(writer.view());
}

function parsed(text: string): StoredProperty[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter(isProperty) : [];
  } catch {
    return [];
  }
}

function isProperty(value: unknown): value is StoredProperty {
  return typeof value === 'object' && value !== null && 'identifier' in value;
}

function writeOne(writer: ByteWriter, { identifier, name, value }: StoredProperty): void {
  const row = rows.find(candidate => candidate.identifier === identifier);
  if (row === undefined) return;
  if (row.kind === 'number') {
    if (value === 0 || value === 1) writer.byte(row.id).byte(value);
  } else if (typeof value !== 'string') return;
  else if (row.kind === 'pair') {
    if (typeof name === 'string') writer.byte(row.id).string(name).string(value);
  } else if (row.kind === 'text') writer.byte(row.id).string(value);
  else if (/^([0-9a-f]{2})*$/i.test(value)) writer.byte(row.id).binary(Buffer.from(value, 'hex'));
}
