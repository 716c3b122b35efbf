import type { DropBox } from '../core/imports/take-drop.ts';
import { quarantineKey } from './keys.ts';
import type { Store } from './store.ts';

/** Files dropped under `drop/` of the staging bucket. */
export function createDropBox(staging: Store): DropBox {
  return {
    describe: async (key) => ({ bucket: staging.bucket, ...(await staging.headObject(key)) }),
    async setAside(key, reason) {
      await staging.copyObject({ store: staging, key }, quarantineKey(key), { metadata: { reason } });
      await staging.removeObject(key);
    },
  };
}
