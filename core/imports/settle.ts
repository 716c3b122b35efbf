import type { WithClock } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import type { WithDuties } from '../duties/duty.ts';
import { Conflict, ImageRefused, NotFound, NothingStored, TaskAborted } from '../errors.ts';
import { TARGET_PROPERTIES } from '../formats.ts';
import { type Image, type Location, storesWrittenBy } from '../images/image.ts';
import type { ImageChange, WithImages } from '../images/repository.ts';
import { expectLateWrites } from '../images/retire-write.ts';
import { untilMet } from '../images/revise.ts';
import { lacksSignature, signedOutcome } from '../images/signed.ts';
import type { WithLog } from '../log.ts';
import { refusedSignature } from '../signatures/refused.ts';
import { learnedRates } from '../tasks/eta.ts';
import type { WithTasks } from '../tasks/repository.ts';
import type { WithSourceSecrets } from '../tasks/source-secrets.ts';
import type { ImportMethod } from '../tasks/task.ts';
import { forgetSourceSecret } from './forget-source-secret.ts';
import { introspected } from './introspection.ts';
import { leftovers } from './leftovers.ts';
import { type ImportTask, importTask } from './report/import-task.ts';
import { assertLock } from './report/lock.ts';
import { taskDutyId } from './report/task-duty.ts';
import { storeFailures } from './store-failures.ts';

type SettleDeps = WithClock & WithConfig & WithTasks & WithImages & WithDuties & WithLog;
type FinishDeps = SettleDeps & WithSourceSecrets;

/** One store holds the image: the location is recorded and the store leaves the importing list; then see whether that activates. */
export async function storeDone(deps: SettleDeps, task: ImportTask, location: Location): Promise<void> {
  await deps.images.change(task.imageId, {
    expect: { lock: task.id },
    addLocations: [location],
    importingTo: { remove: [location.store] },
  });
  await activateEarly(deps, task);
}

/** One store failed: it moves from the importing to the failed list. What follows for the import, the workflow decides. */
export async function storeFailed(deps: SettleDeps, task: ImportTask, store: string): Promise<void> {
  await deps.images.change(task.imageId, {
    expect: { lock: task.id },
    importingTo: { remove: [store] },
    failedImport: { add: [store] },
  });
}

/** The digests of what a download returns are known: they go onto the image; then see whether that activates. */
export async function hashed(
  deps: SettleDeps,
  task: ImportTask,
  digests: { readonly md5: string; readonly hash: { readonly algo: string; readonly value: string } },
): Promise<void> {
  await deps.tasks.note(task.id, digests);
  await activateEarly(deps, { ...task, facts: { ...task.facts, ...digests } });
}

/** With all_stores_must_succeed=false the image turns active as soon as one copy and the hashes exist (import.md section 4). */
async function activateEarly(deps: SettleDeps, task: ImportTask): Promise<void> {
  if (task.import.allStoresMustSucceed || task.import.method.name === 'copy-image') return;
  const fresh = await importTask(deps, task.id);
  try {
    await untilMet(async () => {
      const image = await deps.images.get(task.imageId);
      if (image?.status !== 'importing' || !ownCopies(image, fresh) || fresh.facts.md5 === undefined) return;
      const { expect, set, mergeProperties } = introspected(deps, fresh, image);
      const active = activated(fresh, image);
      // The end of the import says so.
      if (lackOf(deps, image, active) !== undefined) return;
      await deps.images.change(task.imageId, {
        expect: { ...expect, ...asRead(fresh, image), lock: task.id, status: ['importing'] },
        set: { ...set, ...active.set },
        mergeProperties: { ...mergeProperties, ...active.mergeProperties },
      });
    });
  } catch (error) {
    if (!(error instanceof Conflict)) throw error; // the other branch was faster
  }
}

/**
 * The end of a good import: the image is active and says what a download returns, the task is `success`, the lock opens; in this
 * order, so that whoever sees the image unlocked finds the task ended, and a death in between is made good by running again.
 * @throws NothingStored when no requested store holds the image; ImageRefused when it lost a signature that it needs; TaskAborted when the
 *   image went away, or the task was cancelled
 */
export async function finishImport(deps: FinishDeps, taskId: string): Promise<void> {
  const task = await importTask(deps, taskId);
  if (task.status !== 'success') await complete(deps, task);
  await unlock(deps, task);
  await deps.duties.remove(taskDutyId(taskId));
}

async function complete(deps: FinishDeps, task: ImportTask): Promise<void> {
  await assertLock(deps, task.imageId, task.id);
  if (task.cancelledAt !== undefined) throw new TaskAborted(`Task ${task.id} was cancelled`);
  const image = await deps.images.get(task.imageId);
  const batches = await deps.tasks.batches(task.id);
  const failures = storeFailures(batches);
  if (task.import.method.name !== 'location' && (image === undefined || !ownCopies(image, task))) {
    throw new NothingStored(
      [
        `None of the uploads finished: no store of ${task.import.stores.join(', ')} holds image ${task.imageId}`,
        ...failures,
      ].join('; '),
    );
  }
  // Before the end, so that dying behind it leaves nothing that nobody removes.
  await expectLateWrites(deps, leftovers(task, image));
  await forgetSourceSecret(deps, task);
  await endImage(deps, task, image);
  // Two imports that end at once: one's lesson is lost, which only costs the next estimate a little.
  await deps.tasks.setRates(learnedRates(batches, await deps.tasks.rates()));
  await closeTask(deps, task, [copied(task.facts.rendered?.size ?? image?.size ?? 0), ...failures].join('; '));
}

async function endImage(deps: SettleDeps, task: ImportTask, read: Image | undefined): Promise<void> {
  let known = read;
  await untilMet(async () => {
    const image = known ?? (await deps.images.get(task.imageId));
    known = undefined;
    const { expect, set, mergeProperties } = image === undefined ? {} : introspected(deps, task, image);
    const change = ending(task, image);
    const lack = image?.status === 'importing' ? lackOf(deps, image, change) : undefined;
    if (lack !== undefined) throw new ImageRefused(refusedSignature(task.imageId, lack));
    await deps.images.change(task.imageId, {
      ...change,
      // What is said of a signature is of the properties as they were read.
      expect: { ...expect, ...change.expect, ...asRead(task, image) },
      set: { ...set, ...change.set },
      ...((mergeProperties ?? change.mergeProperties) && {
        mergeProperties: { ...mergeProperties, ...change.mergeProperties },
      }),
    });
  });
}

const asRead = (task: ImportTask, image: Image | undefined): Pick<NonNullable<ImageChange['expect']>, 'revision'> =>
  task.import.signature === undefined || image === undefined ? {} : { revision: image.revision };

/** What an image lacks to turn active by a change. */
function lackOf({ config }: WithConfig, image: Image, { set }: Pick<ImageChange, 'set'>): string | undefined {
  return lacksSignature(config, { ...image, ...set });
}

/** An image that its first copy activated is not activated again: it may have been taken out of use since. */
function ending(task: ImportTask, image: Image | undefined): ImageChange {
  const { set: { status, ...facts } = {}, ...lists } = outcome(task, image);
  if (status === undefined || image?.status !== 'importing') return { ...lists, expect: { lock: task.id }, set: facts };
  return { ...lists, expect: { lock: task.id, status: ['importing', 'active'] }, set: { ...facts, status } };
}

/** What the image says at the end, by where its bytes came from. */
function outcome(
  task: ImportTask,
  image: Image | undefined,
): Pick<ImageChange, 'set' | 'mergeProperties' | 'importingTo'> {
  const { method, stores } = task.import;
  if (method.name === 'location') return { set: { ...hashFields(task), ...verifiedFields(method) } };
  const importingTo = { remove: stores };
  if (method.name === 'copy-image') return { importingTo };
  const { set, mergeProperties } = activated(task, image);
  return { importingTo, set: { ...set, staged: null }, mergeProperties: { ...subformat(task), ...mergeProperties } };
}

/** What consumers of a format ask its properties for: a vmdk was written streamOptimized, whatever it had been. */
function subformat({ facts: { targetFormat } }: ImportTask): NonNullable<ImageChange['mergeProperties']> {
  return (targetFormat === undefined ? undefined : TARGET_PROPERTIES[targetFormat]) ?? {};
}

/** What is stored is what was signed. */
const isKept = ({ targetFormat, packed }: ImportTask['facts']): boolean =>
  targetFormat === undefined && packed === undefined;

/** A location whose hash came with it activates its image only now. */
function verifiedFields(method: Extract<ImportMethod, { name: 'location' }>): NonNullable<ImageChange['set']> {
  return method.hash && method.expected !== undefined ? { status: 'active' } : {};
}

function hashFields({ facts: { md5, hash } }: ImportTask): NonNullable<ImageChange['set']> {
  return md5 === undefined || hash === undefined ? {} : { checksum: md5, hashAlgo: hash.algo, hashValue: hash.value };
}

async function unlock(deps: SettleDeps, task: ImportTask): Promise<void> {
  try {
    await deps.images.change(task.imageId, { expect: { lock: task.id }, set: { lock: null, progress: null } });
  } catch (error) {
    if (!(error instanceof Conflict || error instanceof NotFound)) throw error; // open already, or deleted
  }
}

/** Glance's word for it, which tells whole MiB: of less, KiB, and bytes where that is none either. */
function copied(bytes: number): string {
  const unit = UNITS.find(({ size }) => bytes >= size);
  return unit === undefined ? `Copied ${bytes} bytes` : `Copied ${Math.floor(bytes / unit.size)} ${unit.name}`;
}

const UNITS = [
  { name: 'MiB', size: 1024 ** 2 },
  { name: 'KiB', size: 1024 },
] as const;

/** The task ends well before the lock opens: whoever sees the image unlocked finds the task ended. */
async function closeTask(deps: SettleDeps, task: ImportTask, message: string): Promise<void> {
  await deps.tasks.move(task.id, ['processing'], {
    status: 'success',
    message,
    result: { image_id: task.imageId },
    expiresAt: expiry(deps),
  });
}

export function expiry(deps: WithClock & WithConfig): string {
  return new Date(deps.clock.now() + deps.config.task.task_time_to_live * 3_600_000).toISOString();
}

const ownCopies = (image: Image, task: ImportTask): boolean => storesWrittenBy(image, task.id).length > 0;

/** What an imported image says of its bytes, and of who signed them. */
function activated(task: ImportTask, image: Image | undefined): Pick<ImageChange, 'set' | 'mergeProperties'> {
  const { mark, mergeProperties } = signedOutcome(image, task.import.signature, isKept(task.facts));
  return { set: { ...activeFields(task), signature: mark }, mergeProperties };
}

function activeFields(task: ImportTask): NonNullable<ImageChange['set']> {
  const { facts } = task;
  return {
    status: 'active',
    size: facts.rendered?.size ?? null,
    virtualSize: facts.virtualSize ?? null,
    checksum: facts.md5 ?? null,
    hashAlgo: facts.hash?.algo ?? null,
    hashValue: facts.hash?.value ?? null,
    ...(facts.targetFormat === undefined ? {} : { diskFormat: facts.targetFormat, containerFormat: 'bare' }),
  };
}
