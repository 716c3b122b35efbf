/**
 * Changes of an image record as a client asks for them: applied in order to a copy, saved once, all or nothing (contract:
 * images.md section 6). The write is conditional on the revision that was read; when somebody else was faster, the changes
 * are applied again to what is there now, so concurrent patches lose nothing.
 */

import type { WithClock } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import { Conflict, Forbidden } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import type { WithLookUps } from '../identity/look-ups.ts';
import type { WithMembers } from '../members/repository.ts';
import type { WithPolicy, WithProtections } from '../policy/port.ts';
import { PATCH_LOCATIONS, PATCH_OPERATIONS, refuseMore } from '../request-limits.ts';
import { isSameSignature } from '../signatures/properties.ts';
import { enforce, imageTarget, type Seen, seenImage } from './access.ts';
import type { Draft } from './draft.ts';
import type { Image, Visibility } from './image.ts';
import type { WithLocations } from './locations.ts';
import { spendOwnerLookUp } from './owner-look-up.ts';
import { addLocations, type LocationChange, removeLocation, replaceLocations } from './patch-locations.ts';
import type { ImageChange, WithImages } from './repository.ts';
import { revised } from './revise.ts';
import { checkPropertyQuota, checkTagQuota, checkValues } from './rules.ts';
import { lacksSignature } from './signed.ts';
import { enforceVisibility } from './visibility.ts';

export type { LocationInput } from './patch-locations.ts';

export type BaseAttribute =
  | 'name'
  | 'visibility'
  | 'protected'
  | 'hidden'
  | 'owner'
  | 'containerFormat'
  | 'diskFormat'
  | 'tags'
  | 'minRam'
  | 'minDisk';
/** Values of base attributes, held to the schema of their attribute. */
export type BaseValues = Image[BaseAttribute];

type Op = 'add' | 'replace' | 'remove';

/** `strict` is the v2.0 language, where `add` of something present is a conflict; `name` is the key on the wire. */
export type Change =
  | {
      readonly kind: 'base';
      readonly op: Op;
      readonly strict: boolean;
      readonly name: string;
      readonly attribute: BaseAttribute;
      readonly value: BaseValues;
    }
  | {
      readonly kind: 'property';
      readonly op: Op;
      readonly strict: boolean;
      readonly name: string;
      readonly value: string | null;
    }
  | LocationChange;

type PatchDeps = WithConfig &
  WithClock &
  WithImages &
  WithMembers &
  WithPolicy &
  WithProtections &
  WithLocations &
  WithLookUps;

/**
 * Applies changes to an image and returns the record as it is then.
 * @throws NotFound, Forbidden, Conflict, InvalidInput, LimitExceeded as the contract's tables say
 */
export async function patchImage(
  deps: PatchDeps,
  caller: Caller,
  id: string,
  changes: readonly Change[],
): Promise<Seen> {
  refuseTooMany(changes);
  return revised(id, async () => {
    const seen = await seenImage(deps, caller, id);
    if (changes.length === 0) return seen;
    const change = await changeFor(deps, caller, seen, changes);
    return { ...seen, image: await deps.images.change(id, change) };
  });
}

/** @throws LimitExceeded */
function refuseTooMany(changes: readonly Change[]): void {
  refuseMore('operations of a patch', changes.length, PATCH_OPERATIONS);
  const locations = changes.map((change) => (change.kind === 'locations' ? (change.values?.length ?? 1) : 0));
  const named = locations.reduce((sum, count) => sum + count, 0);
  refuseMore('locations in a patch', named, PATCH_LOCATIONS);
}

/** What is asked of the image as it was read has one answer for all operations of a patch. */
interface Questions {
  enforce(rule: string): Promise<void>;
  enforceVisibility(visibility: Visibility): Promise<void>;
}

function questionsOf(deps: PatchDeps, caller: Caller, seen: Seen): Questions {
  const asked = new Map<string, Promise<void>>();
  const once = (question: string, ask: () => Promise<void>) => {
    const answer = asked.get(question) ?? ask();
    asked.set(question, answer);
    return answer;
  };
  return {
    enforce: (rule) => once(rule, () => enforce(deps, rule, seen, caller)),
    enforceVisibility: (visibility) =>
      once(`visibility ${visibility}`, () => enforceVisibility(deps, visibility, imageTarget(seen), caller)),
  };
}

async function changeFor(
  deps: PatchDeps,
  caller: Caller,
  seen: Seen,
  changes: readonly Change[],
): Promise<ImageChange> {
  const draft: Draft = { image: seen.image, extra: {} };
  const properties = new Map(Object.entries(seen.image.properties));
  const patch: Patch = { deps, caller, seen, draft, properties, questions: questionsOf(deps, caller, seen) };
  for (const change of changes) await apply(patch, change);
  const { image: before } = seen;
  const touched = changes.some(({ kind }) => kind === 'property');
  const after = touched ? { ...draft.image, properties: Object.fromEntries(properties) } : draft.image;
  if (changes.some((change) => change.name === 'tags')) checkTagQuota(deps.config, after.tags);
  checkPropertyQuota(deps.config, before.properties, after.properties);
  if (after.owner !== before.owner) await spendOwnerLookUp(deps, caller, after.owner);
  const mark = markAfter(before, after, draft);
  checkSigned(deps, before, { ...after, ...mark });
  return {
    expect: { revision: before.revision, ...(draft.extra.set?.status !== undefined && { status: [before.status] }) },
    createdAt: before.createdAt,
    set: { ...differences(before, after), ...draft.extra.set, ...mark },
    ...(draft.extra.addLocations && { addLocations: draft.extra.addLocations }),
    ...(draft.extra.removeLocations && { removeLocations: draft.extra.removeLocations }),
  };
}

/** What was verified is not what the properties say now, or not all that a download may get. */
function markAfter(before: Image, after: Image, { extra }: Draft): Pick<NonNullable<ImageChange['set']>, 'signature'> {
  const isAsVerified = isSameSignature(before.properties, after.properties) && extra.addLocations === undefined;
  const isOfBytes = before.signature === 'verified' || before.signature === 'trusted';
  return isOfBytes && !isAsVerified ? { signature: null } : {};
}

/**
 * An image that has bytes, or is getting some, neither comes to a visibility that needs a signature without one, nor loses it there. One
 * that has been there since before a signature was needed stays, and can be changed.
 * @throws Conflict
 */
function checkSigned({ config }: WithConfig, before: Image, after: Image): void {
  const isWithoutBytes = after.lock === null && (after.status === 'queued' || after.status === 'uploading');
  if (isWithoutBytes) return;
  const lack = lacksSignature(config, after);
  if (lack === undefined) return;
  const wasWithoutBytes = before.status === 'queued' && before.lock === null;
  const isAsBefore = before.visibility === after.visibility && lacksSignature(config, before) !== undefined;
  if (isAsBefore && !wasWithoutBytes) return;
  throw new Conflict(`Image ${after.id} cannot be changed so: ${lack}${isBusy(after) ? BUSY : ''}`);
}

const isBusy = ({ status }: Image): boolean => status !== 'active' && status !== 'deactivated';
const BUSY = ', and whether it has one is known when its bytes are complete';

const SETTABLE = [
  'name',
  'visibility',
  'protected',
  'hidden',
  'owner',
  'containerFormat',
  'diskFormat',
  'tags',
  'minRam',
  'minDisk',
  'properties',
] as const satisfies readonly (keyof Image)[];

function differences(before: Image, after: Image): NonNullable<ImageChange['set']> {
  return Object.fromEntries(SETTABLE.filter((key) => before[key] !== after[key]).map((key) => [key, after[key]]));
}

/** A patch under way. */
interface Patch {
  readonly deps: PatchDeps;
  readonly caller: Caller;
  readonly seen: Seen;
  readonly draft: Draft;
  /** As the operations so far left them. */
  readonly properties: Map<string, string | null>;
  readonly questions: Questions;
}

async function apply(patch: Patch, change: Change): Promise<void> {
  switch (change.kind) {
    case 'base':
      return applyBase(patch, change);
    case 'property':
      await patch.questions.enforce('modify_image');
      return applyProperty(patch, change);
    case 'locations':
      return applyLocations(patch, change);
  }
}

async function applyBase(
  { caller, seen, draft, questions }: Patch,
  { op, strict, name, attribute, value }: Extract<Change, { kind: 'base' }>,
): Promise<void> {
  if (attribute === 'visibility' && op !== 'remove') await questions.enforceVisibility(value as Visibility);
  await questions.enforce('modify_image');
  if (op === 'remove') throw new Forbidden(`Property ${name} may not be removed.`);
  if (op === 'add' && strict) throw new Conflict(`Property ${name} already present.`);
  if (attribute === 'owner' && !caller.isAdmin)
    throw new Forbidden('You are not permitted to change the owner of this image.');
  const queued = seen.image.status === 'queued' || seen.image.status === 'importing';
  if ((attribute === 'diskFormat' || attribute === 'containerFormat') && !queued)
    throw new Forbidden(`Attribute ${name} can be only replaced for a queued image.`);
  const settled = attribute === 'tags' ? [...new Set(value as readonly string[])] : value;
  checkValues({ [attribute]: settled });
  draft.image = { ...draft.image, [attribute]: settled };
}

async function applyProperty(
  { deps, caller, properties }: Patch,
  { op, strict, name, value }: Extract<Change, { kind: 'property' }>,
): Promise<void> {
  const readable = deps.protections === undefined || (await deps.protections.mayRead(name, caller));
  const present = readable && properties.has(name);
  if (op === 'add' && strict && present) throw new Conflict(`Property ${name} already present.`);
  if (op !== 'add' && !present) throw new Conflict(`Property ${name} does not exist.`);
  await protect(deps, caller, op === 'add' && present ? 'replace' : op, name);
  if (op === 'remove') {
    properties.delete(name);
    return;
  }
  checkValues({ properties: { [name]: value } });
  properties.set(name, value);
}

/** @throws Forbidden when a protection denies it (contract: policy.md section 4) */
async function protect(deps: PatchDeps, caller: Caller, op: Op, name: string): Promise<void> {
  const { protections } = deps;
  if (protections === undefined) return;
  const allowed = {
    add: () => protections.mayCreate(name, caller),
    replace: () => protections.mayUpdate(name, caller),
    remove: () => protections.mayDelete(name, caller),
  };
  if (!(await allowed[op]())) throw new Forbidden(`Property '${name}' is protected`);
}

async function applyLocations({ deps, draft, questions }: Patch, change: LocationChange): Promise<void> {
  if (!deps.config.show_multiple_locations)
    throw new Forbidden("It's not allowed to add, replace or remove locations of images.");
  await questions.enforce(change.op === 'remove' ? 'delete_image_location' : 'set_image_location');
  if (change.op === 'remove') return removeLocation(draft, change);
  if (change.op === 'replace') return replaceLocations(deps, draft, change);
  return addLocations(deps, draft, change);
}
