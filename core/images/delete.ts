/**
 * The end of an image (contract: images.md section 7). A duty is written before the record goes and removed when nothing is
 * left, so that a process that dies in between leaves no bytes without a record: the janitor finishes.
 */

import type { WithBytes } from '../../bytes/bytes-port.ts';
import { imageRoot, stagedRoot } from '../../bytes/keys.ts';
import type { WithClock } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import type { Duty, WithDuties } from '../duties/duty.ts';
import { Forbidden, NotFound } from '../errors.ts';
import type { WithWorkflows } from '../executions/workflow.ts';
import type { Caller } from '../identity/caller.ts';
import type { WithLog } from '../log.ts';
import type { WithMembers } from '../members/repository.ts';
import type { WithPolicy } from '../policy/port.ts';
import { enforce, seenImage } from './access.ts';
import type { Image } from './image.ts';
import type { WithImages } from './repository.ts';
import { sweepPlaces, TOMBSTONE_MS } from './retire-write.ts';
import { revised } from './revise.ts';

type DeleteDeps = WithConfig &
  WithClock &
  WithImages &
  WithMembers &
  WithPolicy &
  WithDuties &
  WithBytes &
  WithWorkflows &
  WithLog;

const UNFINISHED_MS = 60_000;

/** @throws NotFound; Forbidden when policy or `protected` says so */
export async function deleteImage(deps: DeleteDeps, caller: Caller, id: string): Promise<void> {
  const { last, duty } = await revised(id, async () => {
    const seen = await seenImage(deps, caller, id);
    await enforce(deps, 'delete_image', seen, caller);
    if (seen.image.protected) throw new Forbidden(`Image ${id} is protected and cannot be deleted.`);
    return removeRecord(deps, seen.image, isUntouched(seen.image) ? undefined : dutyOf(deps, id));
  });
  await Promise.all([
    last.visibility === 'shared' || last.revision > 0 ? deps.members.deleteAll(id) : undefined,
    last.lock === null ? undefined : stopWork(deps, last, last.lock),
    duty === undefined ? undefined : sweepPlaces(deps, duty, mayBeWritten(last, deps.clock.now())),
  ]);
}

/** By who holds the image, or by a worker that was lost when its latest copy was made. */
const mayBeWritten = ({ lock, locations }: Image, nowMs: number): boolean =>
  lock !== null || locations.some(({ addedAtMs }) => nowMs - addedAtMs < TOMBSTONE_MS);

type RemoveDeps = WithConfig & WithClock & WithImages & WithDuties;

/** Removes a record that nobody asked to delete, if it is as expected; the janitor does the rest. @throws as `ImageRepository.delete` */
export async function removeImage(deps: RemoveDeps, image: Image, expect: Expectation): Promise<void> {
  await removeRecord(deps, image, dutyOf(deps, image.id), expect);
}

type Expectation = NonNullable<Parameters<WithImages['images']['delete']>[1]>;

/** Removes the record as it was read; what it left is the duty. @throws StaleRevision, NotFound; Conflict where it is not as expected */
async function removeRecord(
  deps: RemoveDeps,
  image: Image,
  duty: Duty | undefined,
  expect: Expectation = { revision: image.revision },
): Promise<{ last: Image; duty: Duty | undefined }> {
  if (duty !== undefined) await deps.duties.put(duty);
  try {
    return { last: await deps.images.delete(image.id, expect), duty };
  } catch (error) {
    if (duty !== undefined && !(error instanceof NotFound)) await deps.duties.remove(duty.id);
    throw error;
  }
}

/** Nothing was ever written of it. */
const isUntouched = ({ lock, staged, locations, status, revision }: Image): boolean =>
  locations.length === 0 && staged === null && lock === null && status === 'queued' && revision === 0;

/** What must go: everything under the image's prefix in every place that may hold something of it. */
function dutyOf(deps: WithConfig & WithClock, id: string): Duty {
  const prefix = imageRoot(id);
  const stores = deps.config.stores.map((store) => store.id);
  return {
    id: `delete:${id}`,
    kind: 'deleted',
    imageId: id,
    dueAtMs: deps.clock.now() + UNFINISHED_MS,
    places: [
      ...stores.map((place) => ({ place, prefix })),
      { place: 'staging', prefix },
      { place: 'staging', prefix: stagedRoot(id) },
    ],
  };
}

async function stopWork(deps: DeleteDeps, image: Image, lock: string): Promise<void> {
  try {
    await deps.workflows.stop(lock, `Image ${image.id} was deleted`);
  } catch (error) {
    // The lock may be an upload's, or the workflow ends by itself at its next look at the image.
    deps.log.info('delete: no workflow stopped', { image: image.id, lock, error: String(error) });
  }
}

type FinishDeps = WithClock & WithImages & WithMembers & WithDuties & WithBytes & WithLog;

/**
 * What a due `deleted` duty asks: whatever a delete that was cut short left behind goes. A duty whose image is still there is
 * of a delete that never happened, and touches nothing.
 */
export async function finishDelete(deps: FinishDeps, duty: Duty): Promise<void> {
  if ((await deps.images.get(duty.imageId)) !== undefined) {
    await deps.duties.remove(duty.id);
    return;
  }
  await deps.members.deleteAll(duty.imageId);
  await sweepPlaces(deps, duty, (duty.attempt ?? 0) === 0);
}
