/** When certificates were last shown to the broker: times by serial number. Written by the broker, a hint only. */
import path from 'node:path';
import { readIfThere } from '../key-store.ts';

export const seenFile = (folder: string): string => path.join(folder, 'ca', 'seen');

/** Empty when there is no such file, or one that cannot be understood. */
export function readSeen(folder: string): Map<string, number> {
  try {
    const entries = Object.entries(JSON.parse(readIfThere(seenFile(folder)) ?? '{}') as Record<string, unknown>);
    return new Map(entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
  } catch {
    return new Map();
  }
}
