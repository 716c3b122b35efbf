import type { DropBox } from '../core/imports/take-drop.ts';
import { inParts } from './in-parts.ts';
import { quarantineKey } from './keys.ts';
import type { Metadata, ObjectVersion, Store } from './store.ts';

/** Of a file above what one request copies. The service does the work, so that many at once are only as many open requests. */
const PART_BYTES = 256 * 1024 * 1024;
const LANES = 16;

/** Files dropped under `drop/` of the staging bucket. */
export function createDropBox(staging: Store): DropBox {
  return {
    describe: async (key) => ({ bucket: staging.bucket, ...(await staging.headObject(key)) }),
    async setAside(key, reason) {
      const { etag, size } = await staging.headObject(key);
      const from = { store: staging, key, etag };
      const metadata = { reason: headerText(reason) };
      if (size <= staging.abilities.maxCopyBytes) await staging.copyObject(from, quarantineKey(key), { metadata });
      else await copyInParts(from, size, quarantineKey(key), metadata);
      await staging.removeObject(key);
    },
  };
}

async function copyInParts(from: ObjectVersion, size: number, key: string, metadata: Metadata): Promise<void> {
  const { abilities } = from.store;
  const partBytes = Math.min(abilities.maxCopyBytes, Math.max(PART_BYTES, Math.ceil(size / abilities.maxParts)));
  const count = Math.ceil(size / partBytes);
  const lengthOf = (n: number): number => Math.min(partBytes, size - n * partBytes);
  await inParts(from.store, key, { count, lanes: LANES, lengthOf, metadata }, (multipart, n) =>
    multipart.copyPart(n, from, n * partBytes, n * partBytes + lengthOf(n)),
  );
}

/** Metadata of an object may have 2 KiB, percent-encoded. */
const LONGEST = 1_800;

function headerText(reason: string): string {
  let text = reason.toWellFormed();
  while (encodeURIComponent(text).length > LONGEST) text = text.slice(0, Math.floor(text.length * 0.9)).toWellFormed();
  return text;
}
