/** What must hold whenever nothing is under way, whatever went wrong before: every byte has its record, and every record its bytes. */
import { createHash } from 'node:crypto';
import type { Image } from '../../../core/images/image.ts';
import { isCounted } from '../../../core/quota/ceilings.ts';
import type { ImportRig } from '../memory/imports.ts';
import { PROJECT } from './cast.ts';
import { allImages } from './snapshot.ts';

/** One sentence for each thing that must not be. */
export async function violations(rig: ImportRig): Promise<string[]> {
  const { deps, staging, stores } = rig;
  const images = await allImages(rig);
  const tasks = await deps.tasks.list({});
  const duties = await deps.duties.due(Number.MAX_SAFE_INTEGER, 100);
  const counted = (await deps.usage.of(PROJECT))?.usage;
  const taken = await deps.imageList.usageOf(PROJECT);
  return [
    ...tasks
      .filter(({ status }) => status !== 'success' && status !== 'failure')
      .map(({ id, status }) => `task ${id} is ${status}`),
    ...[...deps.sourceSecrets.kept.keys()].map((id) => `the secret of task ${id} is left`),
    ...duties.map(({ id }) => `the duty ${id} is not settled`),
    ...(isCounted(deps.config) && JSON.stringify(counted) !== JSON.stringify(taken)
      ? [`${JSON.stringify(counted)} is counted, the records take ${JSON.stringify(taken)}`]
      : []),
    ...images.flatMap(ofRecord),
    ...(await Promise.all(images.map((image) => ofBytes(rig, image)))).flat(),
    ...strays(images, [...staging.objects.keys()], (image) =>
      image.staged === null ? [] : [image.staged.writeId],
    ).map((key) => `staging has ${key}, of no record`),
    ...Object.entries(stores).flatMap(([id, { objects }]) =>
      strays(images, [...objects.keys()], ({ locations }) =>
        locations.filter(({ store }) => store === id).map(({ writeId = '' }) => writeId),
      ).map((key) => `${id} has ${key}, of no record`),
    ),
    ...[staging, ...Object.values(stores)].flatMap((store) =>
      store.unfinished().map((key) => `an upload of ${key} is open in ${store.id}`),
    ),
  ];
}

/** Statuses in which nobody works on an image. */
const AT_REST: readonly Image['status'][] = ['queued', 'active', 'deactivated'];

function ofRecord({ id, status, lock, staged, progress, importingTo }: Image): string[] {
  const isAtRest = AT_REST.includes(status) || (status === 'uploading' && staged !== null);
  return [
    ...(isAtRest ? [] : [`image ${id} stays ${status}`]),
    ...(lock === null ? [] : [`image ${id} is held by ${lock}`]),
    ...(progress === null ? [] : [`image ${id} shows progress`]),
    ...((importingTo ?? []).length === 0 ? [] : [`image ${id} is still to be written to ${importingTo}`]),
  ];
}

/** Every copy that a record names is whole. */
async function ofBytes(rig: ImportRig, image: Image): Promise<string[]> {
  const found: string[] = [];
  for (const location of image.locations) {
    const bytes = await rig.read(image, location).catch((error: Error) => error);
    if (bytes instanceof Error) found.push(`image ${image.id}: its copy in ${location.store}: ${bytes.message}`);
    else if (image.checksum !== null && createHash('md5').update(bytes).digest('hex') !== image.checksum)
      found.push(`image ${image.id}: its copy in ${location.store} has another checksum`);
  }
  if (image.status === 'active' && image.locations.length === 0)
    found.push(`image ${image.id} is active without bytes`);
  return found;
}

/** Keys that no record speaks of. What a client brought, dropped, or finds set aside is the client's. */
function strays(
  images: readonly Image[],
  keys: readonly string[],
  writesOf: (image: Image) => readonly string[],
): string[] {
  const own = new Set(images.flatMap((image) => writesOf(image).map((writeId) => `${image.id}/${writeId}`)));
  return keys.filter((key) => {
    const [root = '', imageId, writeId] = key.split('/');
    if (root === 'quarantine' || root === 'of-a-client' || root === 'drop') return false;
    return !((root === 'images' || root === 'staged') && own.has(`${imageId}/${writeId}`));
  });
}
