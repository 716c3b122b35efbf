import type { Caller } from '../identity/caller.ts';
import type { WithProtections } from '../policy/port.ts';
import type { Image } from './image.ts';

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
