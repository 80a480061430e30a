/**
 * What processes have used: CPU time and memory, from /proc (proc(5)).
 *
 *   stat            utime + stime of all threads, in ticks of 10 ms, children that ended included
 *   task/N/schedstat  nanoseconds of one living thread: sharpens the ticks where both agree
 *   smaps_rollup    resident (Rss) and proportional (Pss) memory
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface Usage {
  /** Seconds since some fixed point. */
  wall: number;
  cpuSeconds: number;
  rssKb: number;
  pssKb: number;
  /** How many of the processes were there. */
  found: number;
}

const ticksPerSecond = 100;

/** The processes named; not their children, because every broker measured here is one process. */
export function usageOf(pids: readonly number[]): Usage {
  const usage: Usage = { wall: performance.now() / 1000, cpuSeconds: 0, rssKb: 0, pssKb: 0, found: 0 };
  for (const pid of pids) {
    const stat = read(`/proc/${pid}/stat`);
    const ticks = stat === null ? null : parseTicks(stat);
    if (ticks === null) continue;
    const fine = threadSeconds(pid);
    usage.found++;
    usage.cpuSeconds += Math.abs(fine - ticks) < 2 / ticksPerSecond ? fine : ticks;
    // Only root and the owner may read the roll-up; the resident size is open to all.
    const memory = parseMemory(read(`/proc/${pid}/smaps_rollup`) ?? '');
    usage.rssKb += memory.rssKb || residentKb(read(`/proc/${pid}/status`) ?? '');
    usage.pssKb += memory.pssKb;
  }
  return usage;
}

/** CPU seconds of one line of /proc/PID/stat. The name in parentheses may hold anything, parentheses too. */
export function parseTicks(stat: string): number | null {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return Number.isFinite(user + system) ? (user + system) / ticksPerSecond : null;
}

export function parseMemory(rollup: string): { rssKb: number; pssKb: number } {
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0);
  return { rssKb: field('Rss'), pssKb: field('Pss') };
}

function residentKb(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
}

function threadSeconds(pid: number): number {
  let nanoseconds = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      nanoseconds += Number.parseInt(read(`/proc/${pid}/task/${thread}/schedstat`) ?? '0', 10) || 0;
    }
  } catch {
    // Ended while it was looked at.
  }
  return nanoseconds / 1e9;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** CPU seconds of this process. */
export function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
