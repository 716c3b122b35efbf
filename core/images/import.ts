import { defaultStore } from '../config.ts';
import { Conflict, InvalidInput, NotFound } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import type { Deps } from '../ports.ts';
import { TASK_DUTY_MS } from '../tasks/report.ts';
import type { ImportMethod, Task } from '../tasks/task.ts';
import type { Image } from './image.ts';
import { uriRefusal } from './uri-filter.ts';

/** POST import, parsed (contract: import.md section 2). `header` is X-Image-Meta-Store. */
export interface ImportRequest {
  readonly method: { readonly name: string; readonly uri?: string | undefined } & Readonly<Record<string, unknown>>;
  readonly stores?: readonly string[] | undefined;
  readonly allStores?: boolean | undefined;
  readonly allStoresMustSucceed?: boolean | undefined;
  readonly header?: string | undefined;
  /** The body as the client sent it, kept on the task. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Type and input of the task, when another operation than POST import asks. */
  readonly task?: Pick<Task, 'type' | 'input'>;
}

type ImportDeps = Pick<Deps, 'config' | 'clock' | 'newId' | 'images' | 'tasks' | 'duties' | 'workflows' | 'log'>;

/**
 * Accepts an import: the lock is taken by one conditional write, the task is stored, the workflow starts under the task's id.
 * The image is the one the caller may see; `authorize` runs the policy of the method at its place in the order of checks.
 * @returns the task, or undefined when there is nothing to do (copy-image to stores that all hold the image)
 * @throws InvalidInput, Conflict, Forbidden, NotFound as the contract's table says, first failure first
 */
export async function importImage(
  deps: ImportDeps,
  caller: Caller,
  image: Image,
  request: ImportRequest,
  authorize: () => Promise<void>,
): Promise<Task | undefined> {
  const name = request.method.name;
  checkState(image, name);
  checkFormats(image);
  await authorize();
  await checkLock(deps, image);
  const stores = chooseStores(deps, image, request);
  if (stores.length === 0) return undefined;
  const method = methodOf(deps, request);
  const task = await createTask(deps, caller, image, request, method, stores);
  await takeLock(deps, image, task);
  await startWorkflow(deps, task);
  return task;
}

/** Status each method starts from; the message is the state's, before any policy (checks 4 to 7). */
const START_STATUS: Readonly<Record<string, Image['status']>> = {
  'glance-direct': 'uploading',
  'web-download': 'queued',
  'glance-download': 'queued',
  'copy-image': 'active',
};

function checkState(image: Image, method: string): void {
  if (method === 'copy-image' ? image.status !== 'active' : image.status === 'active') {
    throw new Conflict(
      method === 'copy-image'
        ? 'Only images with status active can be targeted for copying'
        : 'Image with status active cannot be target for import',
    );
  }
  const expected = START_STATUS[method];
  if (expected !== undefined && image.status !== expected) {
    throw new Conflict(`Image needs to be in '${expected}' state to use ${method}, it is in '${image.status}'`);
  }
  if (method === 'glance-direct' && image.staged === null)
    throw new Conflict(`Image ${image.id} is still being staged`);
}

function checkFormats(image: Image): void {
  if (image.containerFormat === null) throw new Conflict("'container_format' needs to be set before import");
  if (image.diskFormat === null) throw new Conflict("'disk_format' needs to be set before import");
}

/** A lock whose task is over or unknown is stale and may be taken over; a live one is a conflict. Uploads hold locks too. */
async function checkLock(deps: ImportDeps, image: Image): Promise<void> {
  if (image.lock === null) return;
  const holder = await deps.tasks.get(image.lock);
  if (holder !== undefined && (holder.status === 'pending' || holder.status === 'processing')) {
    throw new Conflict(`Image ${image.id} has an import task in progress: ${holder.id}`);
  }
}

function chooseStores(deps: ImportDeps, image: Image, request: ImportRequest): readonly string[] {
  const { config } = deps;
  const { stores, allStores = false, header } = request;
  if (allStores && stores !== undefined) throw new InvalidInput("'all_stores' and 'stores' may not be given together");
  if (allStores && header !== undefined)
    throw new InvalidInput("'all_stores' and the header X-Image-Meta-Store may not be given together");
  if (stores !== undefined && header !== undefined)
    throw new InvalidInput("'stores' and the header X-Image-Meta-Store may not be given together");
  if (stores?.length === 0) throw new InvalidInput("'stores' is empty: name at least one store");
  const known = config.stores.map((store) => store.id);
  const wanted = allStores ? known : [...new Set(stores ?? [header ?? defaultStore(config).id])];
  const unknown = wanted.find((store) => !known.includes(store));
  if (unknown !== undefined)
    throw new Conflict(`Store "${unknown}" is not configured; stores are: ${known.join(', ')}`);
  return request.method.name === 'copy-image' ? lackingStores(image, wanted, allStores) : wanted;
}

function lackingStores(image: Image, wanted: readonly string[], allStores: boolean): readonly string[] {
  const holding = new Set(image.locations.map((location) => location.store));
  const held = wanted.find((store) => holding.has(store));
  if (held !== undefined && !allStores)
    throw new InvalidInput(`Image ${image.id} is already present at store "${held}"`);
  return wanted.filter((store) => !holding.has(store));
}

function methodOf(deps: ImportDeps, request: ImportRequest): ImportMethod {
  const { name, uri } = request.method;
  if (name === 'glance-direct' || name === 'copy-image') return { name };
  if (name === 'web-download') {
    if (uri === undefined || uri === '') throw new InvalidInput("web-download needs 'uri' in 'method'");
    const refusal = uriRefusal(uri, deps.config.import_filtering_opts);
    if (refusal !== undefined) throw new InvalidInput(refusal);
    return { name, uri };
  }
  throw new InvalidInput(`Unknown import method name "${name}"`);
}

async function createTask(
  deps: ImportDeps,
  caller: Caller,
  image: Image,
  request: ImportRequest,
  method: ImportMethod,
  stores: readonly string[],
): Promise<Task> {
  const at = new Date(deps.clock.now()).toISOString();
  const task: Task = {
    id: deps.newId(),
    type: request.task?.type ?? 'api_image_import',
    status: 'pending',
    imageId: image.id,
    owner: caller.projectId ?? image.owner ?? '',
    userId: caller.userId,
    requestId: caller.requestId,
    input: request.task?.input ?? { image_id: image.id, import_req: request.body, backend: stores },
    result: null,
    message: '',
    import: { method, stores, allStoresMustSucceed: request.allStoresMustSucceed ?? true, roles: caller.roles },
    facts: {},
    createdAt: at,
    updatedAt: at,
    expiresAt: null,
  };
  await deps.tasks.create(task);
  // Before the lock: if we die between here and StartExecution, the janitor finds the task by this duty.
  await deps.duties.put({
    id: `task:${task.id}`,
    kind: 'task',
    imageId: image.id,
    writeId: task.id,
    dueAtMs: deps.clock.now() + TASK_DUTY_MS,
  });
  return task;
}

async function takeLock(deps: ImportDeps, image: Image, task: Task): Promise<void> {
  try {
    await deps.images.change(image.id, {
      expect: { lock: image.lock, status: [image.status] },
      set: { lock: task.id },
    });
  } catch (error) {
    await deps.tasks.move(task.id, ['pending'], {
      status: 'failure',
      message: 'Another operation took the image first',
      expiresAt: new Date(deps.clock.now()).toISOString(),
    });
    await deps.duties.remove(`task:${task.id}`);
    if (error instanceof NotFound || error instanceof Conflict) throw error;
    throw new Conflict(`Image ${image.id} is being changed by another request`, { cause: error });
  }
}

/** The task is durable: when the start fails now, the janitor starts it by the same name within a minute. */
async function startWorkflow(deps: ImportDeps, task: Task): Promise<void> {
  try {
    await deps.workflows.startImport(task);
  } catch (error) {
    deps.log.warn('import accepted, workflow not started yet; the janitor will', {
      task: task.id,
      cause: String(error),
    });
  }
}

/** Whether the method named may be used at all (check 1). @throws InvalidInput */
export function assertMethodEnabled(deps: Pick<Deps, 'config'>, name: string): void {
  if (!deps.config.enabled_import_methods.some((method) => method === name)) {
    throw new InvalidInput(
      `Unknown import method name '${name}'; enabled are: ${deps.config.enabled_import_methods.join(', ') || 'none'}`,
    );
  }
}
