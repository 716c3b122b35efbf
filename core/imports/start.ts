import type { WithClock, WithIds } from '../clock.ts';
import type { WithDuties } from '../duties/duty.ts';
import { Conflict, LimitExceeded, NotFound } from '../errors.ts';
import type { WithWorkflows } from '../executions/workflow.ts';
import type { Caller } from '../identity/caller.ts';
import type { Image } from '../images/image.ts';
import type { ImageChange, WithImages } from '../images/repository.ts';
import { retireSoon } from '../images/retire-write.ts';
import { stagedWrite } from '../images/staged.ts';
import type { WithLog } from '../log.ts';
import { withoutSecrets } from '../shown-url.ts';
import type { WithTasks } from '../tasks/repository.ts';
import type { WithSourceSecrets } from '../tasks/source-secrets.ts';
import type { ImportMethod, Task } from '../tasks/task.ts';
import { forgetSourceSecret } from './forget-source-secret.ts';
import { taskDuty, taskDutyId } from './report/task-duty.ts';

type StartDeps = WithClock &
  WithIds &
  WithImages &
  WithTasks &
  WithSourceSecrets &
  WithDuties &
  WithWorkflows &
  WithLog;

/** What a task is to do; the rest of its record follows from the caller and the image. */
export type TaskOrder = Pick<Task, 'type' | 'input' | 'facts'> & {
  readonly import: NonNullable<Task['import']>;
  /** Of who asks, for a method that acts in his name elsewhere; it is kept apart from the task. */
  readonly token?: string | undefined;
};

/** What changes of an image when a task takes it. */
type TakingChange = Pick<ImageChange, 'set' | 'addLocations'> & {
  readonly expect?: Pick<NonNullable<ImageChange['expect']>, 'revision'>;
};

/**
 * A lock whose task is over or unknown is stale and may be taken over; a live one is a conflict. Uploads hold locks too.
 * @throws Conflict
 */
export async function assertFree(deps: WithTasks, image: Image): Promise<void> {
  if (image.lock === null) return;
  const holder = await deps.tasks.get(image.lock);
  if (holder !== undefined && (holder.status === 'pending' || holder.status === 'processing'))
    throw new Conflict(`Image ${image.id} has an import task in progress: ${holder.id}`);
}

/**
 * Stores a task, takes the image for it by one conditional write, which may change more of the image, and starts the workflow
 * under the task's id.
 * @throws Conflict, NotFound when the image is not any more as it was read, LimitExceeded; the task has then failed
 */
export async function startTask(
  deps: StartDeps,
  caller: Caller,
  image: Image,
  order: TaskOrder,
  change: TakingChange = {},
): Promise<Task> {
  const task = await createTask(deps, caller, image, order);
  await takeImage(deps, image, task, change);
  await replaceKept(deps, image, change);
  await startWorkflow(deps, task);
  return task;
}

async function createTask(
  deps: StartDeps,
  caller: Caller,
  image: Image,
  { token, ...order }: TaskOrder,
): Promise<Task> {
  const at = new Date(deps.clock.now()).toISOString();
  const id = deps.newId();
  // Before all else: if we die anywhere between here and StartExecution, the janitor finds what there is by this duty.
  await deps.duties.put(taskDuty({ id, imageId: image.id }, deps.clock.now()));
  const task: Task = {
    ...order,
    input: withoutSecrets(order.input),
    import: { ...order.import, method: await shownMethod(deps, id, order.import.method, token) },
    id,
    status: 'pending',
    imageId: image.id,
    owner: caller.projectId ?? image.owner ?? '',
    userId: caller.userId,
    requestId: caller.requestId,
    result: null,
    message: '',
    createdAt: at,
    updatedAt: at,
    expiresAt: null,
  };
  await deps.tasks.create(task);
  return task;
}

/** A method as the task may show it; what its fetch needs beside is kept apart. */
async function shownMethod(
  deps: WithSourceSecrets,
  taskId: string,
  method: ImportMethod,
  token: string | undefined,
): Promise<ImportMethod> {
  if (method.name === 'glance-download' && token !== undefined) await deps.sourceSecrets.keep(taskId, token);
  if (method.name !== 'web-download' || withoutSecrets(method.uri) === method.uri) return method;
  await deps.sourceSecrets.keep(taskId, method.uri);
  return { ...method, uri: withoutSecrets(method.uri), isShortened: true };
}

async function takeImage(deps: StartDeps, image: Image, task: Task, change: TakingChange): Promise<void> {
  const forgetting = image.staged?.kept === undefined ? {} : { staged: null };
  try {
    await deps.images.change(image.id, {
      ...change,
      expect: { ...change.expect, lock: image.lock, status: [image.status] },
      set: { ...forgetting, ...change.set, lock: task.id },
    });
  } catch (error) {
    const isFull = error instanceof LimitExceeded;
    await deps.tasks.move(task.id, ['pending'], {
      status: 'failure',
      message: isFull ? error.message : 'Another operation took the image first',
      expiresAt: new Date(deps.clock.now()).toISOString(),
    });
    await deps.duties.remove(taskDutyId(task.id));
    await forgetSourceSecret(deps, task);
    if (isFull || error instanceof NotFound || error instanceof Conflict) throw error;
    throw new Conflict(`Image ${image.id} is being changed by another request`, { cause: error });
  }
}

/** What a cancelled import left for a retry goes when other bytes take its place. */
async function replaceKept(deps: StartDeps, { id, staged }: Image, { set }: TakingChange): Promise<void> {
  if (staged?.kept !== undefined && !set?.staged) await retireSoon(deps, stagedWrite(id, staged));
}

/** The task is durable: when the start fails now, the janitor starts it by the same name within a minute. */
async function startWorkflow(deps: StartDeps, task: Task): Promise<void> {
  try {
    await deps.workflows.startImport(task);
  } catch (error) {
    deps.log.warn('task accepted, workflow not started yet; the janitor will', {
      task: task.id,
      cause: String(error),
    });
  }
}
