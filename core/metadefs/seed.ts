import type { WithClock, WithIds } from '../clock.ts';
import { Conflict } from '../errors.ts';
import { type OwnedDraft, storeNamespace } from './namespaces.ts';
import type { WithMetadefs } from './repository.ts';

/**
 * Loads the standard catalog, once in the life of a table. A start that was cut short goes on where it stopped: what exists is
 * left alone, and only the end is noted, after which nothing that an operator removed comes back.
 * @returns how many namespaces were made
 */
export async function seedCatalog(
  deps: WithMetadefs & WithClock & WithIds,
  read: () => Promise<readonly OwnedDraft[]>,
): Promise<number> {
  if (await deps.metadefs.isLoaded()) return 0;
  let made = 0;
  for (const draft of await read()) {
    try {
      await storeNamespace(deps, draft);
      made += 1;
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
  }
  await deps.metadefs.markLoaded(new Date(deps.clock.now()).toISOString());
  return made;
}
