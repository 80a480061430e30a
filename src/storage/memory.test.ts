import { MemoryStore } from './memory.ts';
import { storeContract } from './store.contract.ts';

storeContract('memory store', async () => ({ store: new MemoryStore(), discard: async () => {} }));
