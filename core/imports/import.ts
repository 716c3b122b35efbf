import type { WithBytes } from '../../bytes/bytes-port.ts';
import type { WithClock, WithIds } from '../clock.ts';
import { defaultStore, type WithConfig } from '../config.ts';
import type { WithDuties } from '../duties/duty.ts';
import { Conflict, InvalidInput } from '../errors.ts';
import type { WithWorkflows } from '../executions/workflow.ts';
import type { Caller } from '../identity/caller.ts';
import type { WithLookUps } from '../identity/look-ups.ts';
import { enforce, type Seen, seenImage } from '../images/access.ts';
import { isImageId } from '../images/ids.ts';
import type { Image } from '../images/image.ts';
import type { WithImages } from '../images/repository.ts';
import type { WithLog } from '../log.ts';
import type { WithMembers } from '../members/repository.ts';
import type { WithPolicy } from '../policy/port.ts';
import type { CounterDeps } from '../quota/counter.ts';
import { enforceLimit } from '../quota/limits.ts';
import type { WithKeyManager } from '../signatures/key-manager.ts';
import type { WithTasks } from '../tasks/repository.ts';
import type { WithSourceSecrets } from '../tasks/source-secrets.ts';
import type { ImportMethod, Task } from '../tasks/task.ts';
import type { WithPeers } from './peers.ts';
import { signatureForImport } from './signature.ts';
import { assertFree, startTask } from './start.ts';
import { uriRefusal } from './uri-filter.ts';

/** POST import, parsed (contract: import.md section 2). `header` is X-Image-Meta-Store. */
export interface ImportRequest {
  readonly method: {
    readonly name: string;
    readonly uri?: string | undefined;
    readonly glance_region?: string | undefined;
    readonly glance_image_id?: string | undefined;
    readonly glance_service_interface?: string | undefined;
  } & Readonly<Record<string, unknown>>;
  readonly stores?: readonly string[] | undefined;
  readonly allStores?: boolean | undefined;
  readonly allStoresMustSucceed?: boolean | undefined;
  readonly header?: string | undefined;
  /** Of the caller: glance-download shows it to the other service. */
  readonly token?: string | undefined;
  /** The body as the client sent it, kept on the task. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Type and input of the task, when another operation than POST import asks. */
  readonly task?: Pick<Task, 'type' | 'input'>;
}

type ImportDeps = WithConfig &
  WithClock &
  WithIds &
  WithImages &
  WithMembers &
  WithPolicy &
  WithLookUps &
  WithKeyManager &
  WithBytes &
  WithTasks &
  WithSourceSecrets &
  WithDuties &
  WithWorkflows &
  WithPeers &
  WithLog;

/**
 * POST import. The contract's table says which failure comes first (import.md section 2); the order is this function's and the next
 * one's. The lock is taken by one conditional write, the task is stored, the workflow starts under the task's id.
 * @returns the task, or undefined when there is nothing to do (copy-image to stores that all hold the image)
 * @throws InvalidInput, LimitExceeded, NotFound, Conflict, Forbidden
 */
export async function requestImport(
  deps: ImportDeps & CounterDeps,
  caller: Caller,
  id: string,
  request: ImportRequest,
): Promise<Task | undefined> {
  assertMethodEnabled(deps, request.method.name);
  await enforceLimit(deps, 'storedBytes', caller.projectId);
  return importSeen(deps, caller, await seenImage(deps, caller, id), request);
}

/** The checks from the image's status on, and the start. @returns and @throws as `requestImport` */
export async function importSeen(
  deps: ImportDeps,
  caller: Caller,
  seen: Seen,
  request: ImportRequest,
): Promise<Task | undefined> {
  const { image } = seen;
  const { name } = request.method;
  checkState(image, name);
  checkFormats(image);
  const remote = name === 'glance-download' ? remoteOf(request.method) : undefined;
  await enforce(deps, name === 'copy-image' ? 'copy_image' : 'modify_image', seen, caller);
  await assertFree(deps, image);
  const stores = chooseStores(deps, image, request);
  if (stores.length === 0) return undefined;
  const method = remote === undefined ? methodOf(deps, request) : await peerMethod(deps, remote, request.token);
  const signature = await signatureForImport(deps, caller, image, method);
  return startTask(deps, caller, image, {
    type: request.task?.type ?? 'api_image_import',
    input: request.task?.input ?? { image_id: image.id, import_req: request.body, backend: stores },
    import: {
      method,
      stores,
      allStoresMustSucceed: request.allStoresMustSucceed ?? true,
      roles: caller.roles,
      ...(signature === undefined ? {} : { signature }),
    },
    facts: {},
    token: request.token,
  });
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

interface Remote {
  readonly region: string;
  readonly imageId: string;
  readonly facing: string;
}

/** The image of another region that is asked for (check 9). @throws InvalidInput */
function remoteOf({
  glance_region: region,
  glance_image_id: imageId,
  glance_service_interface: facing = 'public',
}: ImportRequest['method']): Remote {
  if (!region) throw new InvalidInput("'glance_region' needs to be set for glance-download import method");
  if (!imageId) throw new InvalidInput("'glance_image_id' needs to be set for glance-download import method");
  if (!isImageId(imageId)) throw new InvalidInput(`Remote image id does not look like a UUID: ${imageId}`);
  return { region, imageId, facing };
}

/** A region or an interface that the caller's catalog does not have fails the task, as in Glance. @throws InvalidInput; BackendUnavailable */
async function peerMethod(
  { peers }: WithPeers,
  { region, imageId, facing }: Remote,
  token: string | undefined,
): Promise<ImportMethod> {
  if (token === undefined) throw new InvalidInput('glance-download needs a token, to be shown to the other region');
  const endpoint = await peers.imageService(token, region, facing);
  const found = endpoint === undefined ? {} : { endpoint };
  return { name: 'glance-download', region, facing, remoteImageId: imageId, ...found };
}

/** Whether the method named may be used at all (check 1). @throws InvalidInput */
function assertMethodEnabled(deps: WithConfig, name: string): void {
  if (!deps.config.enabled_import_methods.some((method) => method === name)) {
    throw new InvalidInput(
      `Unknown import method name '${name}'; enabled are: ${deps.config.enabled_import_methods.join(', ') || 'none'}`,
    );
  }
}
