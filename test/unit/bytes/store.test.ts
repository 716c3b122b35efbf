import { memoryStore } from '../../support/memory/store.ts';
import { describeStore, type StoreRig } from '../../support/store-conformance.ts';

function rig(options: Omit<Parameters<typeof memoryStore>[0], 'id'> = {}): StoreRig {
  const store = memoryStore({ id: 'one', ...options });
  return {
    store,
    sibling: memoryStore({ id: 'two', ...options }),
    strangers: [
      memoryStore({ id: 'three', ...options, credentials: 'others' }),
      memoryStore({ id: 'four', ...options, service: 'elsewhere' }),
    ],
    breakNextRead: (bytes) => void store.breaks.push(bytes),
    unfinished: async () => store.unfinished(),
  };
}

const strict = rig();
describeStore('memory', () => strict);

const poor = rig({ abilities: { verifiesCrc32: false, fullObjectCrc32: false, minPartBytes: 1024 } });
describeStore('memory that verifies nothing and takes small parts', () => poor);
