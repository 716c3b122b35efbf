/**
 * Who sees an image and who may do what to it (contract: policy.md section 3). An image is first looked up through its
 * visibility; then policies speak, and what ownership means to a verb is theirs too (policy/defaults.ts). What a caller may not
 * see does not exist for it.
 */

import { Forbidden, NotFound } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import type { WithMembers } from '../members/repository.ts';
import type { PolicyTarget, WithPolicy } from '../policy/port.ts';
import { isImageId } from './ids.ts';
import type { Image } from './image.ts';
import type { WithImages } from './repository.ts';

/** An image as one caller reaches it: `memberId` is the caller's project when it came as a member of a shared image. */
export interface Seen {
  readonly image: Image;
  readonly memberId: string | null;
}

type AccessDeps = WithImages & WithMembers & WithPolicy;

function noSuchImage(id: string): NotFound {
  return new NotFound(`No image found with ID ${id}`);
}

/**
 * The image, when its visibility lets the caller see it; one strongly consistent read (two for members of shared images).
 * @throws NotFound
 */
export async function seenImage(deps: AccessDeps, caller: Caller, id: string): Promise<Seen> {
  const image = isImageId(id) ? await deps.images.get(id) : undefined;
  const seen = image === undefined ? undefined : await seenBy(deps, caller, image);
  if (seen === undefined) throw noSuchImage(id);
  return seen;
}

/** The image as the caller reaches it; undefined when its visibility hides it. */
export async function seenBy(deps: WithMembers, caller: Caller, image: Image): Promise<Seen | undefined> {
  if (image.status === 'deleted' || image.status === 'pending_delete') return undefined;
  const memberId = await membershipFor(deps, caller, image);
  return memberId !== null || isOpenTo(image, caller) ? { image, memberId } : undefined;
}

function isOpenTo(image: Image, caller: Caller): boolean {
  if (caller.isAdmin || image.visibility === 'public' || image.visibility === 'community') return true;
  return image.owner === null || image.owner === caller.projectId;
}

async function membershipFor(deps: WithMembers, caller: Caller, image: Image): Promise<string | null> {
  const { projectId } = caller;
  if (image.visibility !== 'shared' || projectId === null || projectId === image.owner || caller.isAdmin) return null;
  return (await deps.members.get(image.id, projectId)) === undefined ? null : projectId;
}

/** What rules may look at: base attributes under their wire names, aliases, custom properties. */
export function imageTarget({ image, memberId }: Seen): PolicyTarget {
  return {
    ...image.properties,
    id: image.id,
    image_id: image.id,
    name: image.name,
    status: image.status,
    visibility: image.visibility,
    protected: image.protected,
    os_hidden: image.hidden,
    owner: image.owner,
    project_id: image.owner,
    member_id: memberId,
    disk_format: image.diskFormat,
    container_format: image.containerFormat,
    min_ram: image.minRam,
    min_disk: image.minDisk,
    size: image.size,
    virtual_size: image.virtualSize,
    checksum: image.checksum,
    os_hash_algo: image.hashAlgo,
    os_hash_value: image.hashValue,
    tags: image.tags,
    created_at: image.createdAt,
    updated_at: image.updatedAt,
  };
}

/**
 * Checks one rule on an image that the caller reached.
 * @throws Forbidden when the rule fails; NotFound when `get_image` fails too.
 */
export async function enforce(deps: WithPolicy, rule: string, seen: Seen, caller: Caller): Promise<void> {
  const target = imageTarget(seen);
  if (await deps.policy.allows(rule, target, caller)) return;
  if (rule !== 'get_image' && (await deps.policy.allows('get_image', target, caller)))
    throw new Forbidden(`You are not authorized to complete ${rule} action.`);
  throw noSuchImage(seen.image.id);
}

/** Checks a rule that concerns no existing image. @throws Forbidden */
export async function enforceFor(deps: WithPolicy, rule: string, target: PolicyTarget, caller: Caller): Promise<void> {
  if (!(await deps.policy.allows(rule, target, caller)))
    throw new Forbidden(`You are not authorized to complete ${rule} action.`);
}

/** `seenImage` and `get_image` in one: what reading needs. @throws NotFound */
export async function readableImage(deps: AccessDeps, caller: Caller, id: string): Promise<Seen> {
  const seen = await seenImage(deps, caller, id);
  await enforce(deps, 'get_image', seen, caller);
  return seen;
}
