/**
 * Writes a ZIP archive without compression: certificates and keys are small, and random bytes do not shrink.
 *
 *   [local header, bytes] per file ... [directory entry] per file ... [end]       (APPNOTE.TXT, 4.3)
 */
import { crc32 } from 'node:zlib';
import type { KitFile } from './facts.ts';

const utf8Names = 0x0800;
const versionNeeded = 20;
/** A regular file that only its owner may read, as Unix keeps it in the upper half. */
const attributes = (0o100600 << 16) >>> 0;

export function zip(files: readonly KitFile[], modified: Date): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const file of files) {
    const name = Buffer.from(file.name);
    const content = Buffer.from(file.content);
    const common = commonHeader(name, content, modified);
    const local = Buffer.concat([u32(0x04034b50), common, name, content]);
    // Made by: Unix. No comment, disk 0, no internal attributes.
    const entry = [u32(0x02014b50), u16((3 << 8) | versionNeeded), common, u16(0), u16(0), u16(0), u32(attributes)];
    directory.push(Buffer.concat([...entry, u32(offset), name]));
    parts.push(local);
    offset += local.length;
  }
  const listing = Buffer.concat(directory);
  const count = u16(files.length);
  const end = [u32(0x06054b50), u16(0), u16(0), count, count, u32(listing.length), u32(offset), u16(0)];
  return Buffer.concat([...parts, listing, ...end]);
}

/** What local header and directory entry share: from the version needed to the lengths of name and extra field. */
function commonHeader(name: Buffer, content: Buffer, modified: Date): Buffer {
  const size = u32(content.length);
  return Buffer.concat([
    u16(versionNeeded),
    u16(utf8Names),
    u16(0),
    ...dosTime(modified).map(u16),
    u32(crc32(content)),
    size,
    size,
    u16(name.length),
    u16(0),
  ]);
}

function dosTime(at: Date): [number, number] {
  const time = (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1);
  const date = ((at.getFullYear() - 1980) << 9) | ((at.getMonth() + 1) << 5) | at.getDate();
  return [time, date];
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
