import { DROP_PREFIX } from '../../bytes/keys.ts';
import type { WithClock, WithIds } from '../clock.ts';
import { defaultStore, type WithConfig } from '../config.ts';
import type { WithDuties } from '../duties/duty.ts';
import { Conflict, ImageServiceError, InvalidInput } from '../errors.ts';
import type { WithWorkflows } from '../executions/workflow.ts';
import { FORMAT_OF_EXTENSION } from '../formats.ts';
import type { Caller } from '../identity/caller.ts';
import type { WithLookUps } from '../identity/look-ups.ts';
import { createImage, type NewImage } from '../images/create.ts';
import type { WithImageList, WithImages } from '../images/repository.ts';
import type { WithLog } from '../log.ts';
import type { WithPolicy, WithProtections } from '../policy/port.ts';
import type { WithLimits } from '../quota/limited-resources.ts';
import type { WithUsage } from '../quota/usage.ts';
import { type ExpectedSignature, expectedSignature } from '../signatures/expected.ts';
import type { WithKeyManager } from '../signatures/key-manager.ts';
import type { WithTasks } from '../tasks/repository.ts';
import type { Task } from '../tasks/task.ts';
import { taskDuty } from './report/task-duty.ts';

/** An object that somebody put at `drop/{project}/{name}.{ext}` in the staging bucket. */
export interface Dropped {
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
  readonly size: number;
  /** Orders writes of one key; with bucket and key it names this write. */
  readonly sequencer: string;
  /** User metadata of the object, keys in lower case: `name`, `disk_format`, `container_format`, `min_disk`, `min_ram`, `property-…`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What became of a drop. */
export type DropOutcome =
  | { readonly kind: 'imported'; readonly imageId: string; readonly taskId: string }
  /** The file names no project that exists, or asks what a member may not: it is set aside with the reason. */
  | { readonly kind: 'quarantined'; readonly reason: string };

/** A project that files may be dropped for. */
export interface DropProject {
  readonly id: string;
  readonly name: string;
  readonly domainId: string;
  readonly enabled: boolean;
}

export interface DropDeps
  extends WithConfig,
    WithClock,
    WithIds,
    WithImages,
    WithImageList,
    WithUsage,
    WithLimits,
    WithLookUps,
    WithKeyManager,
    WithPolicy,
    WithProtections,
    WithTasks,
    WithDuties,
    WithWorkflows,
    WithLog {
  /** The project a key names, by id or by name in the default domain. @throws BackendUnavailable */
  readonly findProject: (idOrName: string) => Promise<DropProject | undefined>;
  /** A name-based UUID (RFC 9562, version 5): the same text gives the same id. */
  readonly nameId: (text: string) => string;
}

const DROPPED = new RegExp(`^${DROP_PREFIX}([^/]+)/([^/]+)$`);

/**
 * Makes an image of a dropped file and starts its import. Ids follow from bucket, key and sequencer, so a second delivery of the
 * event finds the first one's work and changes nothing. The caller is a plain member of the project that the key names.
 */
export async function acceptDrop(deps: DropDeps, dropped: Dropped): Promise<DropOutcome> {
  const named = DROPPED.exec(dropped.key);
  const [, projectName = '', fileName = ''] = named ?? [];
  if (named === null) return quarantined(`"${dropped.key}" is not of the form ${DROP_PREFIX}{project}/{name}.{ext}`);
  const project = await deps.findProject(projectName);
  if (project === undefined) return quarantined(`there is no project "${projectName}"`);
  if (!project.enabled) return quarantined(`the project "${projectName}" is disabled`);
  const identity = `${dropped.bucket}\n${dropped.key}\n${dropped.sequencer}`;
  const imageId = deps.nameId(`image\n${identity}`);
  const taskId = deps.nameId(`task\n${identity}`);
  const caller = memberOf(project, `req-${taskId}`);
  try {
    const { properties, ...described } = describe(deps, fileName, dropped.metadata);
    // What cannot be verified makes no image.
    const signature = await expectedSignature(deps, caller, {
      id: imageId,
      visibility: described.visibility,
      properties,
    });
    const order = { ...dropped, signature, imageId, taskId };
    const created = await createImage(deps, caller, { ...described, properties, id: imageId }).then(
      () => true,
      (error: unknown) => {
        if (error instanceof Conflict) return false;
        throw error;
      },
    );
    if (created) await startImport(deps, caller, order);
    else await resume(deps, caller, order);
    return { kind: 'imported', imageId, taskId };
  } catch (error) {
    // Neither this file nor what became of it will be taken another time either.
    if (error instanceof ImageServiceError && !error.retryable) return quarantined(error.message);
    throw error;
  }
}

/** A file that is taken, and as what. */
interface DropOrder extends Dropped {
  readonly signature: ExpectedSignature | undefined;
  readonly imageId: string;
  readonly taskId: string;
}

const quarantined = (reason: string): DropOutcome => ({ kind: 'quarantined', reason });

/** The file came again: a crash may have come anywhere between the image's record and the start. */
async function resume(deps: DropDeps, caller: Caller, order: DropOrder): Promise<void> {
  const { imageId, taskId } = order;
  const [task, image] = await Promise.all([deps.tasks.get(taskId), deps.images.get(imageId)]);
  const begun = task !== undefined && task.status !== 'pending';
  // Whoever can guess the id could have made the image before us, to be given the file.
  if (!begun && image !== undefined && image.owner !== caller.projectId)
    throw new Conflict('the image that this file would become is of another project');
  const untouched = image?.status === 'queued' && (image.lock === null || image.lock === taskId);
  if (!begun && untouched) await startImport(deps, caller, order);
}

function memberOf(project: DropProject, requestId: string): Caller {
  return {
    userId: 'bucket-drop-in',
    userName: 'bucket-drop-in',
    userDomainId: 'default',
    projectId: project.id,
    projectName: project.name,
    projectDomainId: project.domainId,
    domainId: null,
    systemScope: null,
    roles: ['member', 'reader'],
    serviceRoles: [],
    serviceUserId: null,
    serviceProjectId: null,
    isAdmin: false,
    requestId,
  };
}

const PROPERTY = 'property-';

function describe(
  deps: DropDeps,
  fileName: string,
  metadata: Dropped['metadata'],
): NewImage & { readonly visibility: 'shared'; readonly properties: Readonly<Record<string, string>> } {
  const dot = fileName.lastIndexOf('.');
  const extension = dot > 0 ? fileName.slice(dot + 1).toLowerCase() : '';
  // Any other extension: what the engine finds it to be.
  const guessed = Object.hasOwn(FORMAT_OF_EXTENSION, extension) ? FORMAT_OF_EXTENSION[extension] : undefined;
  const diskFormat = metadata['disk_format'] ?? guessed ?? null;
  const known = diskFormat === null || deps.config.image_format.disk_formats.includes(diskFormat);
  const containerFormat = metadata['container_format'];
  if (containerFormat !== undefined && !deps.config.image_format.container_formats.includes(containerFormat))
    throw new InvalidInput(`container_format "${containerFormat}" is none of the service's`);
  const properties = Object.entries(metadata)
    .filter(([key]) => key.startsWith(PROPERTY))
    .map(([key, value]) => [key.slice(PROPERTY.length), value]);
  return {
    name: metadata['name'] ?? (dot > 0 ? fileName.slice(0, dot) : fileName),
    diskFormat: known ? diskFormat : null,
    containerFormat: diskFormat === null || !known ? null : (containerFormat ?? 'bare'),
    visibility: 'shared',
    ...numberOf('minDisk', metadata['min_disk']),
    ...numberOf('minRam', metadata['min_ram']),
    properties: Object.fromEntries(properties),
    computed: [],
  };
}

/** What is no number is refused with the other values. */
function numberOf(key: 'minDisk' | 'minRam', text: string | undefined): Partial<Pick<NewImage, 'minDisk' | 'minRam'>> {
  return text === undefined ? {} : { [key]: /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN };
}

async function startImport(deps: DropDeps, caller: Caller, order: DropOrder): Promise<void> {
  const { bucket, key, etag, size, signature, imageId, taskId } = order;
  const at = new Date(deps.clock.now()).toISOString();
  const stores = [defaultStore(deps.config).id];
  const task: Task = {
    id: taskId,
    type: 'api_image_import',
    status: 'pending',
    imageId,
    owner: caller.projectId ?? '',
    userId: null,
    requestId: caller.requestId,
    input: { image_id: imageId, import_req: { method: { name: 'drop', key } }, backend: stores },
    result: null,
    message: '',
    import: {
      method: { name: 'drop', bucket, key, etag, size },
      stores,
      allStoresMustSucceed: true,
      roles: caller.roles,
      ...(signature === undefined ? {} : { signature }),
    },
    facts: {},
    createdAt: at,
    updatedAt: at,
    expiresAt: null,
  };
  await deps.tasks.create(task).catch((error: unknown) => {
    if (!(error instanceof Conflict)) throw error; // the record of an earlier try
  });
  await lock(deps, imageId, taskId);
  await deps.duties.put(taskDuty({ id: taskId, imageId }, deps.clock.now()));
  await deps.workflows.startImport(task);
}

async function lock(deps: DropDeps, imageId: string, taskId: string): Promise<void> {
  try {
    await deps.images.change(imageId, { expect: { lock: null, status: ['queued'] }, set: { lock: taskId } });
  } catch (error) {
    const isOurs = error instanceof Conflict && (await deps.images.get(imageId))?.lock === taskId;
    if (!isOurs) throw error;
  }
}
