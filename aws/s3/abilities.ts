import { z } from 'zod';
import { ABILITIES_KEY } from '../../bytes/keys.ts';
import type { Abilities } from '../../bytes/store.ts';
import type { StoreConfig } from '../../core/config.ts';
import { NotFound } from '../../core/errors.ts';
import { CAUTIOUS, type Probed, probeAbilities } from './probe.ts';
import { putObject } from './put-object.ts';
import { getObject } from './single-object.ts';

const Flags = z.strictObject({
  verifiesCrc32: z.boolean(),
  verifiesMd5: z.boolean(),
  partChecksumsInComplete: z.boolean(),
  fullObjectCrc32: z.boolean(),
  needsContentMd5: z.boolean(),
  conditionalCopies: z.boolean(),
  etagOfComplete: z.boolean(),
});
type Flags = z.infer<typeof Flags>;

/** What was found out, beside the images in the bucket: other processes need not ask again. */
const Found = z.object({ service: z.string(), foundAtMs: z.number(), abilities: Flags });

/** A service may have become another version. */
const KEPT_MS = 7 * 24 * 60 * 60_000;

/**
 * How the abilities of a service that is not AWS are found: what the configuration says, else what some process found out within the
 * last week, else a probe. A failure is not remembered.
 */
export function abilitiesOf(
  at: Probed & { readonly service: string },
  overrides: StoreConfig['abilities'],
  now: () => number = Date.now,
): () => Promise<Abilities> {
  const said = flagsIn(overrides);
  const complete = Flags.safeParse(said);
  if (complete.success) return async () => ({ ...CAUTIOUS, ...complete.data });
  let finding: Promise<Flags> | undefined;
  return async () => {
    finding ??= findAbilities(at, now).catch((error: unknown) => {
      finding = undefined;
      throw error;
    });
    return { ...CAUTIOUS, ...(await finding), ...said };
  };
}

async function findAbilities(at: Probed & { readonly service: string }, now: () => number): Promise<Flags> {
  const bucket = { ...at, abilities: async () => CAUTIOUS };
  const kept = await keptAbilities(bucket);
  if (kept !== undefined && kept.service === at.service && now() - kept.foundAtMs < KEPT_MS) return kept.abilities;
  const abilities = Flags.strip().parse(await probeAbilities(at));
  const found: z.infer<typeof Found> = { service: at.service, foundAtMs: now(), abilities };
  const body = Buffer.from(JSON.stringify(found));
  // Only a saving: the next process asks the service itself.
  await putObject(bucket, ABILITIES_KEY, body, { contentType: 'application/json' }).catch(() => undefined);
  return abilities;
}

/** The same without a probe: undefined while no process has found anything out, however long ago. @throws BackendUnavailable */
export function knownAbilitiesOf(
  at: Probed & { readonly service: string },
  overrides: StoreConfig['abilities'],
): (signal?: AbortSignal) => Promise<Abilities | undefined> {
  const said = flagsIn(overrides);
  const complete = Flags.safeParse(said);
  if (complete.success) return async () => ({ ...CAUTIOUS, ...complete.data });
  return async (signal) => {
    const kept = await keptAbilities({ ...at, abilities: async () => CAUTIOUS }, signal);
    return kept?.service === at.service ? { ...CAUTIOUS, ...kept.abilities, ...said } : undefined;
  };
}

/** Undefined where nothing usable is kept. @throws BackendUnavailable */
async function keptAbilities(
  bucket: Parameters<typeof getObject>[0],
  signal?: AbortSignal,
): Promise<z.infer<typeof Found> | undefined> {
  try {
    return Found.parse(JSON.parse(Buffer.from(await getObject(bucket, ABILITIES_KEY, signal)).toString()));
  } catch (error) {
    if (error instanceof NotFound || error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

/** Settings carry the names of the configuration file. */
function flagsIn(overrides: StoreConfig['abilities'] = {}): Partial<Flags> {
  return Object.fromEntries(
    Object.entries(overrides).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()), value]],
    ),
  );
}
