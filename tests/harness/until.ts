/** Waiting in tests: generous, and never a statement about time. */
import { setTimeout as pause } from 'node:timers/promises';

/** Long enough for a loaded machine with one core; a test that reaches it has failed. */
export const patienceMs = 20_000;

/** Resolves as soon as `holds` gives something truthy; asks again every few milliseconds. */
export async function until<T>(
  what: string,
  holds: () => T | Promise<T>,
  withinMs = patienceMs,
): Promise<NonNullable<T>> {
  const end = performance.now() + withinMs;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (performance.now() > end) throw new Error(`waited ${withinMs} ms in vain for ${what}`);
    await pause(10);
  }
}

/** The promise, or an error that says what was waited for. */
export async function within<T>(what: string, promise: Promise<T>, withinMs = patienceMs): Promise<T> {
  const stop = new AbortController();
  const late = pause(withinMs, undefined, { signal: stop.signal }).then(
    () => Promise.reject(new Error(`waited ${withinMs} ms in vain for ${what}`)),
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
  }
}
