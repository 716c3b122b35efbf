import type { DropBox } from '../core/imports/take-drop.ts';
import { quarantineKey } from './keys.ts';
import type { Store } from './store.ts';

/** Files dropped under `drop/` of the staging bucket. */
export function createDropBox(staging: Store): DropBox {
  return {
    describe: async (key) => ({ bucket: staging.bucket, ...(await staging.headObject(key)) }),
    async setAside(key, reason) {
      await staging.copyObject({ store: staging, key }, quarantineKey(key), {
        metadata: { reason: headerText(reason) },
      });
      await staging.removeObject(key);
    },
  };
}

/** Metadata of an object may have 2 KiB, percent-encoded. */
const LONGEST = 1_800;

function headerText(reason: string): string {
  let text = reason.toWellFormed();
  while (encodeURIComponent(text).length > LONGEST) text = text.slice(0, Math.floor(text.length * 0.9)).toWellFormed();
  return text;
}
