import { BackendUnavailable, NotFound } from '../core/errors.ts';
import type { DirectPort } from './direct-port.ts';
import { dataKey } from './keys.ts';
import type { Places } from './places.ts';
import type { DirectAccess } from './store.ts';

/** The direct ways into the places of a configuration. */
export function directIn(places: Pick<Places, 'staging' | 'of'>): DirectPort {
  const { staging } = places;
  const access = (): DirectAccess => {
    if (staging.direct === undefined)
      throw new BackendUnavailable(`Store ${staging.id} cannot be reached by clients themselves`);
    return staging.direct;
  };
  return {
    get partBounds() {
      return staging.abilities;
    },
    beginParts: (prefix) => staging.multipart(dataKey(prefix)).begin(),
    signPart: ({ prefix, multipartId }, part, seconds) =>
      access().signPart(dataKey(prefix), multipartId, part, seconds),
    listParts: ({ prefix, multipartId }) => access().listParts(dataKey(prefix), multipartId),
    joinParts: ({ prefix, multipartId }) => access().joinParts(dataKey(prefix), multipartId),
    async isJoined({ prefix }, size) {
      return (await sizeOf(() => staging.headObject(dataKey(prefix)))) === size;
    },
    async signRead({ place, prefix, key = dataKey(prefix), layout }, seconds) {
      const store = places.of(place);
      if (layout !== 'plain' || store.direct === undefined) return undefined;
      const isThere = (await sizeOf(() => store.headObject(key))) !== undefined;
      return isThere ? store.direct.signGet(key, seconds) : undefined;
    },
  };
}

async function sizeOf(head: () => Promise<{ readonly size: number }>): Promise<number | undefined> {
  try {
    return (await head()).size;
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}
