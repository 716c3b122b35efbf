import type { DropBox } from '../../core/imports/take-drop.ts';
import { moveObject } from './copy-object.ts';
import { describeObject } from './describe-object.ts';
import type { Place } from './places.ts';

const DROPPED = 'drop/';
const ASIDE = 'quarantine/';

/** Files dropped under `drop/` of the staging bucket. */
export function createDropBox(staging: Place): DropBox {
  return {
    describe: async (key) => ({ bucket: staging.bucket, ...(await describeObject(staging, key)) }),
    setAside: (key, reason) => moveObject(staging, key, ASIDE + key.slice(DROPPED.length), { reason }),
  };
}
