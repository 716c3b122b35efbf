import type { Caller } from '../identity/caller.ts';
import type { WithProtections } from '../policy/port.ts';
import type { Image } from './image.ts';
import { isReserved } from './reserved.ts';

/** The custom properties that a caller may read; all of them without protections (contract: policy.md section 4). */
export async function readableProperties(
  { protections }: WithProtections,
  caller: Caller,
  properties: Image['properties'],
): Promise<Image['properties']> {
  if (protections === undefined) return properties;
  const entries = await Promise.all(
    Object.entries(properties).map(async (entry) => ({ entry, read: await protections.mayRead(entry[0], caller) })),
  );
  return Object.fromEntries(entries.filter(({ read }) => read).map(({ entry }) => entry));
}

/** Whether values of a property are shown to a caller; those of names that the image has itself are to nobody. */
export async function mayReadProperty({ protections }: WithProtections, caller: Caller, key: string): Promise<boolean> {
  return !isReserved(key) && (protections === undefined || (await protections.mayRead(key, caller)));
}
