/** SIGINT, SIGTERM and SIGALRM: before the broker has answered they end the process at once, later in order. */
const signals = ['SIGINT', 'SIGTERM', 'SIGALRM'] as const;

/** `ask` ends in order and says true, or says false when there is nothing to end yet. Returns how to stop listening. */
export function onInterrupt(ask: () => boolean, atOnce: () => void): () => void {
  const handler = (): void => {
    if (!ask()) atOnce();
  };
  for (const signal of signals) process.on(signal, handler);
  return () => {
    for (const signal of signals) process.off(signal, handler);
  };
}
