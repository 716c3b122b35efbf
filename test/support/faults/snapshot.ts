/** All that a service keeps, as two plays can be compared: without times, and without what is counted along the way. */
import type { Image, Location } from '../../../core/images/image.ts';
import type { Task } from '../../../core/tasks/task.ts';
import type { ImportRig } from '../memory/imports.ts';
import { IMAGE_ID, PROJECT } from './cast.ts';

type TimelessImage = Omit<Image, 'createdAt' | 'updatedAt' | 'revision' | 'locations'> & {
  readonly locations: readonly Omit<Location, 'addedAtMs'>[];
};

export interface Snapshot {
  readonly images: readonly TimelessImage[];
  readonly tasks: readonly Omit<Task, 'createdAt' | 'updatedAt' | 'expiresAt' | 'cancelledAt'>[];
  readonly duties: readonly object[];
  readonly usage: object;
  /** By place: key → ETag, and keys of uploads that are open. */
  readonly bytes: Readonly<Record<string, object>>;
}

export async function snapshotOf(rig: ImportRig): Promise<Snapshot> {
  const { deps, staging, stores } = rig;
  const tasks = await deps.tasks.list({});
  const images = await allImages(rig);
  return {
    images: images.map(timeless),
    tasks: tasks.map(taskWithoutTimes),
    duties: await deps.duties.due(Number.MAX_SAFE_INTEGER, 100),
    usage: { counted: (await deps.usage.of(PROJECT))?.usage, ...(await deps.imageList.usageOf(PROJECT)) },
    bytes: Object.fromEntries(
      [staging, ...Object.values(stores)].map((store) => [
        store.id,
        { objects: [...store.objects].map(([key, { etag }]) => `${key} ${etag}`).toSorted(), open: store.unfinished() },
      ]),
    ),
  };
}

/** The image of the scenario, and those that tasks made. */
export async function allImages({ deps }: ImportRig): Promise<Image[]> {
  const ofTasks = (await deps.tasks.list({})).map(({ imageId }) => imageId ?? '');
  const found = await Promise.all([...new Set([IMAGE_ID, ...ofTasks])].map((id) => deps.images.get(id)));
  return found.filter((image) => image !== undefined);
}

function timeless({ createdAt, updatedAt, revision, locations, ...image }: Image): TimelessImage {
  const ordered = locations.map(({ addedAtMs, ...location }) => location);
  return { ...image, locations: ordered.toSorted((a, b) => (a.url < b.url ? -1 : 1)) };
}

function taskWithoutTimes({
  createdAt,
  updatedAt,
  expiresAt,
  cancelledAt,
  facts,
  ...task
}: Task): Snapshot['tasks'][number] {
  // A download that went on from its middle is hashed afterwards; the hashes of the image are the same.
  const { startedAtMs, rates, work, sourceDigests, ...found } = facts;
  return { ...task, facts: found };
}
