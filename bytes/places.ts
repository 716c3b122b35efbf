import { NotFound } from '../core/errors.ts';
import type { StoreAbilitiesPort } from '../core/stores/abilities.ts';
import type { BytesPort } from './bytes-port.ts';
import type { Store } from './store.ts';

/** Every place for bytes that is configured. */
export interface Places extends BytesPort {
  readonly staging: Store;
  /** In the order of the configuration. */
  readonly stores: readonly Store[];
  /** @throws NotFound for a store that is not configured */
  store(id: string): Store;
  /** `staging` or a store id. @throws NotFound as `store` */
  of(place: string): Store;
}

/** What the stores of these places can, as far as it is known. */
export function storeAbilitiesIn({ store }: Pick<Places, 'store'>): StoreAbilitiesPort {
  return {
    async known(id, signal) {
      const { abilities, knownAbilities } = store(id);
      return knownAbilities === undefined ? abilities : knownAbilities(signal);
    },
  };
}

/** Of what works with bytes themselves. */
export interface WithPlaces {
  readonly places: Places;
}

export function createPlaces(staging: Store, stores: readonly Store[]): Places {
  const byId = new Map(stores.map((store) => [store.id, store]));
  const store = (id: string): Store => {
    const found = byId.get(id);
    if (found === undefined) throw new NotFound(`store ${id} is not configured`);
    return found;
  };
  const of = (place: string): Store => (place === staging.id ? staging : store(place));
  return { staging, stores, store, of, removePrefix: async (place, prefix) => of(place).removePrefix(prefix) };
}
