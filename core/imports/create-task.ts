import type { WithClock, WithIds } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import { InvalidInput } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { createImage, type NewImage } from '../images/create.ts';
import { removeImage } from '../images/delete.ts';
import { withoutSecrets } from '../shown-url.ts';
import type { WithTasks } from '../tasks/repository.ts';
import type { Task } from '../tasks/task.ts';
import { importSeen } from './import.ts';
import { expiry } from './settle.ts';
import { uriRefusal } from './uri-filter.ts';

/** The legacy way to import: a task names a URL and the image to make of it (contract: import.md section 9). */
export interface NewTask {
  /** As the client sent it, kept on the task. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly importFrom: string | undefined;
  /** disk_format of the source, where the image's properties name none. */
  readonly format: string | undefined;
  readonly image?: NewImage;
}

type TaskDeps = Parameters<typeof createImage>[0] & Parameters<typeof importSeen>[0];

/**
 * Creates the image, of the caller's project, and imports it by web-download, under a task of type `import`. The image is the task's: it
 * goes when the task fails (revert.ts), or cannot begin.
 * @throws InvalidInput when the URL is missing or not allowed; whatever creating the image throws
 */
export async function createTask(deps: TaskDeps, caller: Caller, request: NewTask): Promise<Task> {
  const { importFrom, format, image: wanted } = request;
  if (importFrom === undefined) throw new InvalidInput("Input does not contain 'import_from' field");
  const refusal = uriRefusal(importFrom, deps.config.import_filtering_opts);
  if (refusal !== undefined) throw new InvalidInput(refusal);
  const missing = format === undefined ? 'import_from_format' : wanted === undefined ? 'image_properties' : undefined;
  if (format === undefined || wanted === undefined)
    return failedTask(deps, caller, request, `Input does not contain '${missing}' field`);
  if (!deps.config.image_format.disk_formats.includes(format))
    throw new InvalidInput(`import_from_format '${format}' is no disk_format`);
  const image = await createImage(deps, caller, {
    diskFormat: format,
    containerFormat: 'bare',
    ...wanted,
  });
  const method = { name: 'web-download', uri: importFrom };
  try {
    const task = await importSeen(
      deps,
      caller,
      { image, memberId: null },
      { method, body: { method }, task: { type: 'import', input: request.input } },
    );
    if (task === undefined) throw new InvalidInput('There is nothing to import');
    return task;
  } catch (error) {
    // Unless the import has taken it all the same.
    await removeImage(deps, image, { lock: null, status: ['queued'] }).catch(() => undefined);
    throw error;
  }
}

/** A request that is well-formed and cannot succeed is a task that failed, as the original has it. */
async function failedTask(
  deps: WithConfig & WithClock & WithIds & WithTasks,
  caller: Caller,
  request: NewTask,
  message: string,
): Promise<Task> {
  const at = new Date(deps.clock.now()).toISOString();
  const task: Task = {
    id: deps.newId(),
    type: 'import',
    status: 'pending',
    imageId: null,
    owner: caller.projectId ?? '',
    userId: caller.userId,
    requestId: caller.requestId,
    input: withoutSecrets(request.input),
    result: null,
    message: '',
    facts: {},
    createdAt: at,
    updatedAt: at,
    expiresAt: null,
  };
  await deps.tasks.create(task);
  return deps.tasks.move(task.id, ['pending'], { status: 'failure', message, expiresAt: expiry(deps) });
}
