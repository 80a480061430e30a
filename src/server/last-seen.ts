/**
 * When a certificate was last shown here, for `zancudo ca list`: serial numbers and times in ca/seen of the home.
 * A hint and no record: it is written every minute and in the end, without waiting for the disk.
 */
import { diskStore, readSeen, seenFile } from '../pki/mod.ts';
import type { Peer } from '../broker/ports.ts';

/** More certificates than any home has issued; beyond it nobody new is written down. */
const serialsMax = 100_000;
const writeEveryMs = 60_000;

export interface LastSeen {
  note: (peer: Peer) => void;
  stop(): void;
}

export function watchLastSeen(folder: string, wall: () => number): LastSeen {
  const seen = readSeen(folder);
  let changed = false;
  const write = (): void => {
    if (!changed) return;
    changed = false;
    try {
      diskStore.write(seenFile(folder), JSON.stringify(Object.fromEntries(seen)));
    } catch {
      // A full or read-only disk: the broker does not live by this file.
    }
  };
  const timer = setInterval(write, writeEveryMs).unref();
  return {
    note({ certificate, refusal }) {
      if (certificate === null || refusal !== null) return;
      if (seen.size >= serialsMax && !seen.has(certificate.serialNumber)) return;
      seen.set(certificate.serialNumber, wall());
      changed = true;
    },
    stop() {
      clearInterval(timer);
      write();
    },
  };
}
