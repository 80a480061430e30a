/** What survives a restart. In this build nothing does: sessions and retained messages live in memory. */
export { MemoryStore } from './memory.ts';
