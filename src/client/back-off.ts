/** How long a client waits before it tries again: longer each time, and never as long as its neighbour. */
const firstRetryMs = 1_000;
const longestRetryMs = 30_000;

/** Doubles up to half a minute; the jitter keeps a thousand clients from coming back in the same instant. */
export function backOffMs(attempt: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** attempt) * (0.5 + Math.random() / 2);
}
