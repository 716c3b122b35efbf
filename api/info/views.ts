/** What a client may ask about the service (contract: images.md section 16). */
import { type Config, defaultStore, type StoreConfig } from '../../core/config.ts';
import type { ProjectLimits } from '../../core/quota/limited-resources.ts';
import type { ProjectUsage } from '../../core/quota/usage.ts';
import type { ImportInfo, StoreAnswer, StoresAnswer, StoresDetail, UsageAnswer } from './answers.ts';

export function importInfoView({ enabled_import_methods }: Pick<Config, 'enabled_import_methods'>): ImportInfo {
  return {
    'import-methods': { description: 'Import methods available.', type: 'array', value: enabled_import_methods },
  };
}

/** `default` is a string and present only where it is true. */
export function storesView(config: Config): StoresAnswer {
  return { stores: config.stores.map((store) => storeView(store, config)) };
}

function storeView(store: StoreConfig, config: Config): StoreAnswer {
  return {
    id: store.id,
    ...(store.description !== '' && { description: store.description }),
    ...(store.id === defaultStore(config).id && { default: 'true' }),
  };
}

/** MiB above which an upload goes in parts, MiB of a part, parts in flight: names are the S3 store's of the original. */
const S3_PROPERTIES = {
  s3_store_large_object_size: 8,
  s3_store_large_object_chunk_size: 8,
  s3_store_thread_pools: 4,
};

/** What a store can, by the names of the configuration's `abilities`. */
const ABILITIES = {
  verifiesCrc32: 'verifies_crc32',
  verifiesMd5: 'verifies_md5',
  partChecksumsInComplete: 'part_checksums_in_complete',
  fullObjectCrc32: 'full_object_crc32',
  needsContentMd5: 'needs_content_md5',
  conditionalCopies: 'conditional_copies',
  etagOfComplete: 'etag_of_complete',
} as const;
type AbilityName = keyof typeof ABILITIES;

/** @param abilities by store; one that is not there is not known */
export function storesDetailView(
  config: Config,
  abilities: ReadonlyMap<string, Readonly<Record<AbilityName, boolean>>>,
): StoresDetail {
  return {
    stores: config.stores.map((store) => ({
      ...storeView(store, config),
      type: 's3',
      weight: store.weight,
      properties: { ...S3_PROPERTIES, ...abilitiesView(abilities.get(store.id)) },
    })),
  };
}

function abilitiesView(abilities: Readonly<Record<AbilityName, boolean>> | undefined): Record<string, boolean> {
  if (abilities === undefined) return {};
  return Object.fromEntries(
    (Object.keys(ABILITIES) as AbilityName[]).map((name) => [ABILITIES[name], abilities[name]]),
  );
}

const MIB = 1024 ** 2;

/** Usage beside limits, sizes in MiB. */
export function usageView(limits: ProjectLimits, usage: ProjectUsage): UsageAnswer {
  return {
    usage: {
      image_size_total: { usage: Math.ceil(usage.storedBytes / MIB), limit: limits.image_size_total },
      image_stage_total: { usage: Math.ceil(usage.stagedBytes / MIB), limit: limits.image_stage_total },
      image_count_total: { usage: usage.images, limit: limits.image_count_total },
      image_count_uploading: { usage: usage.uploading, limit: limits.image_count_uploading },
    },
  };
}
