import type { WithClock, WithIds } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import { Conflict, Forbidden, ImageServiceError } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import type { WithLookUps } from '../identity/look-ups.ts';
import type { WithPolicy, WithProtections } from '../policy/port.ts';
import { count, reserve } from '../quota/counter.ts';
import type { WithLimits } from '../quota/limited-resources.ts';
import { minus, NO_USAGE, type WithUsage } from '../quota/usage.ts';
import { enforceFor } from './access.ts';
import { asId } from './ids.ts';
import type { Image } from './image.ts';
import { spendOwnerLookUp } from './owner-look-up.ts';
import type { WithImageList, WithImages } from './repository.ts';
import { checkPropertyQuota, checkTagQuota, checkValues } from './rules.ts';
import { enforceVisibility } from './visibility.ts';

/** What a client asks for; everything is optional, the service fills in the rest. */
export interface NewImage
  extends Partial<
    Pick<
      Image,
      | 'id'
      | 'name'
      | 'visibility'
      | 'protected'
      | 'hidden'
      | 'owner'
      | 'diskFormat'
      | 'containerFormat'
      | 'minRam'
      | 'minDisk'
      | 'tags'
    >
  > {
  readonly properties: Image['properties'];
  /** Wire names of attributes that only the service sets and that the client sent all the same. */
  readonly computed: readonly string[];
}

type CreateDeps = WithConfig &
  WithClock &
  WithIds &
  WithImages &
  WithImageList &
  WithUsage &
  WithLimits &
  WithLookUps &
  WithPolicy &
  WithProtections;

/**
 * Makes a queued image record. Checks run in the contract's order (images.md section 4); one write, plus one for the counter
 * when anything is limited.
 * @throws Forbidden, LimitExceeded, InvalidInput, Conflict (id exists or existed)
 */
export async function createImage(deps: CreateDeps, caller: Caller, input: NewImage): Promise<Image> {
  const image = newRecord(deps, caller, input);
  const target = { project_id: image.owner, owner: image.owner, visibility: input.visibility ?? 'private' };
  await enforceFor(deps, 'add_image', target, caller);
  await enforceVisibility(deps, image.visibility, target, caller);
  await spendOwnerLookUp(deps, caller, image.owner);
  await reserve(deps, image.owner, ONE_IMAGE);
  try {
    checkTagQuota(deps.config, image.tags);
    const [computed] = input.computed;
    if (computed !== undefined) throw new Forbidden(`Attribute '${computed}' is read-only.`);
    checkValues(image);
    await checkProtections(deps, caller, image);
    checkPropertyQuota(deps.config, {}, image.properties);
    await deps.images.create(image);
  } catch (error) {
    // An id of our own that is used up was used by an earlier try of this write.
    const isKnown = error instanceof ImageServiceError && !(error instanceof Conflict && input.id === undefined);
    if (isKnown) await count(deps, image.owner, minus(NO_USAGE, ONE_IMAGE));
    throw error;
  }
  return image;
}

const ONE_IMAGE = { ...NO_USAGE, images: 1 };

function newRecord(deps: CreateDeps, caller: Caller, input: NewImage): Image {
  const at = new Date(deps.clock.now()).toISOString();
  return {
    id: input.id === undefined ? deps.newId() : asId(input.id),
    name: input.name ?? null,
    status: 'queued',
    visibility: input.visibility ?? 'shared',
    protected: input.protected ?? false,
    hidden: input.hidden ?? false,
    owner: input.owner === undefined ? caller.projectId : input.owner,
    diskFormat: input.diskFormat ?? null,
    containerFormat: input.containerFormat ?? null,
    minRam: input.minRam ?? 0,
    minDisk: input.minDisk ?? 0,
    size: null,
    virtualSize: null,
    checksum: null,
    hashAlgo: null,
    hashValue: null,
    tags: [...new Set(input.tags)],
    properties: input.properties,
    locations: [],
    staged: null,
    lock: null,
    importingTo: null,
    failedImport: null,
    progress: null,
    origin: null,
    signature: null,
    createdAt: at,
    updatedAt: at,
    revision: 0,
  };
}

async function checkProtections(deps: CreateDeps, caller: Caller, image: Image): Promise<void> {
  if (deps.protections === undefined) return;
  for (const key of Object.keys(image.properties)) {
    if (!(await deps.protections.mayCreate(key, caller))) throw new Forbidden(`Property '${key}' is protected`);
  }
}
