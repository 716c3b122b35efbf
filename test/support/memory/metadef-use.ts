import { LimitExceeded } from '../../../core/errors.ts';
import { type CatalogLimits, COUNTED, type Counted } from '../../../core/metadefs/repository.ts';
import { Records } from './records.ts';

export type UseChange = Partial<Readonly<Record<Counted, number>>>;

const WORDS: Readonly<Record<Counted, string>> = {
  namespaces: 'metadata namespaces',
  properties: 'metadata properties',
  objects: 'metadata objects',
  tags: 'metadata tags',
  associations: 'resource type associations',
  types: 'resource types',
};

/** How much of the catalog each project holds. */
export interface MemoryUse {
  /** @throws LimitExceeded, and counts nothing */
  check(owner: string | null, change: UseChange): void;
  count(owner: string | null, change: UseChange): void;
}

export function memoryUse(limits: CatalogLimits): MemoryUse {
  const held = new Records<UseChange>();
  const usedBy = (owner: string | null, counted: Counted) => held.get(owner ?? '')?.[counted] ?? 0;
  return {
    check(owner, change) {
      for (const counted of COUNTED) {
        const by = change[counted] ?? 0;
        const limit = limits[counted];
        const used = usedBy(owner, counted);
        if (by > 0 && limit >= 0 && used + by > limit)
          throw new LimitExceeded(
            `Project ${owner} may hold ${limit} ${WORDS[counted]}; it holds ${used}, ${by} more were asked for.`,
          );
      }
    },
    count(owner, change) {
      const after = COUNTED.map((counted) => [counted, usedBy(owner, counted) + (change[counted] ?? 0)]);
      held.set(owner ?? '', Object.fromEntries(after));
    },
  };
}
