import type { Abilities } from '../../bytes/store.ts';
import type { WithConfig } from '../config.ts';
import type { WithLog } from '../log.ts';

/** What stores can, as far as it is known. */
export interface StoreAbilitiesPort {
  /**
   * Asks the service for nothing but what was found out before; undefined while nobody has.
   * @throws NotFound for a store that is not configured; BackendUnavailable; the signal's reason
   */
  known(store: string, signal: AbortSignal): Promise<Abilities | undefined>;
}

/** Of a verb that tells what stores can. */
export interface WithStoreAbilities {
  readonly storeAbilities: StoreAbilitiesPort;
}

/** A list of stores does not wait for one that is away. */
const PATIENCE_MS = 3_000;

/** By store id; a store of which nothing is known, or that does not answer, has none. */
export async function abilitiesByStore({
  config,
  storeAbilities,
  log,
}: WithConfig & WithStoreAbilities & WithLog): Promise<ReadonlyMap<string, Abilities>> {
  const found = new Map<string, Abilities>();
  const look = async (id: string): Promise<void> => {
    try {
      const abilities = await storeAbilities.known(id, AbortSignal.timeout(PATIENCE_MS));
      if (abilities !== undefined) found.set(id, abilities);
    } catch (error) {
      log.warn('what a store can is not known', { store: id, cause: String(error) });
    }
  };
  await Promise.all(config.stores.map(({ id }) => look(id)));
  return found;
}
