import type { WithConfig } from '../config.ts';
import { Conflict } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { enforce } from '../images/access.ts';
import type { Image } from '../images/image.ts';
import { lacksSignature, signedOutcome } from '../images/signed.ts';
import type { CounterDeps } from '../quota/counter.ts';
import { enforceLimit } from '../quota/limits.ts';
import type { Task } from '../tasks/task.ts';
import { needsToken, retryableUntilMs } from './kept.ts';
import type { ImportTask } from './report/import-task.ts';
import { type SeenDeps, seenImport } from './seen-import.ts';
import { assertFree, startTask, type TaskOrder } from './start.ts';

type RetryDeps = SeenDeps & WithConfig & CounterDeps & Parameters<typeof startTask>[0];

/**
 * Begins a cancelled import once more, as a new task with the same input: from the bytes that it left staged, or, where none are needed,
 * from where they came from.
 * @throws NotFound, Forbidden; Conflict when it was not cancelled, it needs a token anew, its hour is over, or the image is not as it left it; LimitExceeded
 */
export async function retryImport(deps: RetryDeps, caller: Caller, taskId: string): Promise<Task> {
  const { task, seen } = await seenImport(deps, caller, taskId);
  const { image } = seen;
  await enforce(deps, 'glimpse:retry_import', seen, caller);
  await enforce(deps, task.import.method.name === 'copy-image' ? 'copy_image' : 'modify_image', seen, caller);
  const untilMs = retryableUntilMs(task);
  if (needsToken(task))
    throw new Conflict(
      `Import ${taskId} cannot be tried again: the token for the other region was removed when it ended. Import the image again by glance-download`,
    );
  if (untilMs === undefined) throw new Conflict(`Import ${taskId} was not cancelled, it is ${task.status}`);
  if (untilMs <= deps.clock.now())
    throw new Conflict(`Import ${taskId} could be tried again until ${new Date(untilMs).toISOString()}`);
  await assertFree(deps, image);
  const again = againOf(task, image);
  const lack = lackOf(deps, task, image);
  if (lack !== undefined) throw new Conflict(`Import ${taskId} cannot be tried again: ${lack}`);
  await enforceLimit(deps, 'storedBytes', caller.projectId);
  const { staged, ...work } = again;
  const order = { type: task.type, input: task.input, import: { ...work, roles: caller.roles }, facts: {} };
  const set = staged === undefined ? {} : { set: { staged } };
  // The janitor may be taking the stage away.
  return startTask(deps, caller, image, order, { ...set, expect: { revision: image.revision } });
}

/** What the image says of its signature may have changed, and so may its visibility. */
function lackOf(
  { config }: WithConfig,
  { import: { method, signature } }: ImportTask,
  image: Image,
): string | undefined {
  if (method.name === 'copy-image') return undefined;
  const { mark } = signedOutcome(image, signature, true);
  return lacksSignature(config, { ...image, signature: mark });
}

type Again = Omit<TaskOrder['import'], 'roles'> & Pick<Partial<Image>, 'staged'>;

/** What is to be done on the image as it is now. @throws Conflict */
function againOf({ id, import: { roles, ...work }, facts }: ImportTask, image: Image): Again {
  const { method } = work;
  const needed = method.name === 'copy-image' ? 'active' : 'queued';
  if (image.status !== needed)
    throw new Conflict(`Image needs to be in '${needed}' state to try ${id} again, it is in '${image.status}'`);
  if (method.name === 'copy-image') return { ...work, stores: lacking(work.stores, image) };
  if (method.name === 'web-download')
    return method.isShortened === true ? { ...work, method: { ...method, keptUnder: method.keptUnder ?? id } } : work;
  if (image.staged?.kept?.taskId === id) {
    const { kept, ...staged } = image.staged;
    return { ...work, method: { name: 'glance-direct' }, staged };
  }
  // The file lies where it was dropped.
  if (method.name === 'drop' && facts.source === undefined) return work;
  throw new Conflict(`Import ${id} has left nothing to try again with`);
}

function lacking(stores: readonly string[], image: Image): readonly string[] {
  const left = stores.filter((store) => !image.locations.some((location) => location.store === store));
  if (left.length === 0) throw new Conflict(`Image ${image.id} is in ${stores.join(', ')} already`);
  return left;
}
