/** What survives a restart: nothing with the memory store, everything that was acknowledged with the durable one. */
export { type Durability, DurableStore, type DurableStoreOptions, type StoreStats } from './durable.ts';
export { openDurableStore, type OpenedStore } from './open-durable.ts';
export { MemoryStore } from './memory.ts';
export { StoreError } from './store-error.ts';
