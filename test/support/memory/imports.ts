import { createHash, randomUUID } from 'node:crypto';
import { createDropBox } from '../../../bytes/drop-box.ts';
import { copyToStore } from '../../../bytes/imports/copy-to-store.ts';
import { fetchSource } from '../../../bytes/imports/fetch.ts';
import { hashRendered } from '../../../bytes/imports/hash.ts';
import { runPlugin } from '../../../bytes/imports/plugins.ts';
import type { StepEvent, StepTools } from '../../../bytes/imports/step.ts';
import { verifySignature } from '../../../bytes/imports/verify-signature.ts';
import { stagedPrefix } from '../../../bytes/keys.ts';
import { createLocations } from '../../../bytes/locations.ts';
import { createPlaces } from '../../../bytes/places.ts';
import { plainWriter } from '../../../bytes/plain-writer.ts';
import { gatherRendered } from '../../../bytes/render/gather.ts';
import type { Abilities } from '../../../bytes/store.ts';
import { openStored } from '../../../bytes/stored-image.ts';
import { FetchFailed } from '../../../core/errors.ts';
import type { Image, Location } from '../../../core/images/image.ts';
import { storedBytesOf } from '../../../core/images/stored-bytes.ts';
import type { Web } from '../../../core/imports/web.ts';
import { shownUri } from '../../../core/shown-url.ts';
import type { ImportMethod, Task } from '../../../core/tasks/task.ts';
import { handler as begin } from '../../../functions/tasks/begin.ts';
import { handler as clean } from '../../../functions/tasks/clean.ts';
import { handler as copy } from '../../../functions/tasks/copy.ts';
import { handler as finish } from '../../../functions/tasks/finish.ts';
import { handler as gather } from '../../../functions/tasks/gather.ts';
import { handler as hash } from '../../../functions/tasks/hash.ts';
import { handler as inspect } from '../../../functions/tasks/inspect.ts';
import { handler as outcome } from '../../../functions/tasks/outcome.ts';
import { handler as plan } from '../../../functions/tasks/plan.ts';
import { handler as plugin } from '../../../functions/tasks/plugin.ts';
import { handler as render } from '../../../functions/tasks/render.ts';
import { handler as revert } from '../../../functions/tasks/revert.ts';
import { byteStep, type StepHandler } from '../../../functions/tasks/step.ts';
import { handler as storeFailed } from '../../../functions/tasks/store-failed.ts';
import { assertFits } from '../../../functions/tasks/too-long.ts';
import { handler as verify } from '../../../functions/tasks/verify.ts';
import type { ServiceDeps } from '../../../service/deps.ts';
import { anImage } from '../images.ts';
import { aTask } from '../tasks.ts';
import { type MemoryDeps, memoryDeps } from './deps.ts';
import { type Around, type ExecuteOptions, type Execution, execute } from './execution.ts';
import { type MemoryStore, memoryStore } from './store.ts';

/** What the web answers: the body, and the length it tells (its own when absent, none when null). */
export interface WebAnswer {
  readonly body: Uint8Array;
  readonly length?: number | null;
  /** Names this version of it; whoever asks for the rest of it gets no more. */
  readonly validator?: string;
  /** The server gives parts, over so many connections. */
  readonly connections?: number;
  /** Told of each chunk before it goes out: where it begins, and how long it is. */
  readonly onChunk?: (at: number, bytes: number) => void | Promise<void>;
}

/** The service's imports in this process's memory: stores, records, and the workflow as it is deployed. */
export interface ImportRig {
  readonly deps: ServiceDeps &
    Pick<MemoryDeps, 'sourceSecrets' | 'time' | 'projects' | 'certificates' | 'logged' | 'started' | 'executions'>;
  readonly staging: MemoryStore;
  readonly stores: Readonly<Record<'central' | 'edge' | 'abroad', MemoryStore>>;
  readonly web: Map<string, WebAnswer>;
  /** Asked around each call of a step; what it throws the platform answers instead. */
  around: Around | undefined;
  /** An image whose bytes are staged, as PUT stage leaves it, hashed or not; with an id of its own, or that of the attributes. */
  staged(bytes: Uint8Array, attributes: Partial<Image>, options?: { readonly hashed?: boolean }): Promise<Image>;
  /** Records the task of an import and takes the image's lock, as POST import does. */
  task(image: Image, method: ImportMethod, options?: Partial<NonNullable<Task['import']>>): Promise<string>;
  run(taskId: string, options?: ExecuteOptions): Promise<Execution>;
  image(id: string): Promise<Image>;
  /** The bytes of a copy, as a download gets them. */
  read(image: Image, location: Location): Promise<Buffer>;
}

const STORES = [
  { id: 'central', bucket: 'central', default: true },
  { id: 'edge', bucket: 'edge', sparse: false },
  { id: 'abroad', bucket: 'abroad', endpoint: 'https://objects.example.org', credentials_secret: 'abroad' },
];

const HANDLERS: Readonly<Record<string, StepHandler<never>>> = {
  begin,
  clean,
  copy,
  finish,
  gather,
  hash,
  inspect,
  outcome,
  plan,
  plugin,
  render,
  revert,
  'store-failed': storeFailed,
  verify,
};

/** `central` keeps raw images packed, `edge` whole, `abroad` is another service; what is staged may be cut into smaller parts than S3's. */
export function importRig(
  config: Readonly<Record<string, unknown>> = {},
  parts: Partial<Pick<Abilities, 'minPartBytes' | 'maxPartBytes'>> = {},
): ImportRig {
  const staging = memoryStore({ id: 'staging', abilities: parts });
  const stores = {
    central: memoryStore({ id: 'central' }),
    edge: memoryStore({ id: 'edge', sparse: false }),
    abroad: memoryStore({ id: 'abroad', service: 'abroad' }),
  };
  const places = createPlaces(staging, Object.values(stores));
  const records = memoryDeps(
    { stores: STORES, ...config },
    { bytes: places, locations: createLocations(places), dropBox: createDropBox(staging) },
  );
  const unused = (): never => {
    throw new Error('an import does not use this');
  };
  const deps = { ...records, places, identityRecords: {} as ServiceDeps['identityRecords'], keystone: unused };
  const web: ImportRig['web'] = new Map();
  const steps = { handlers: { ...HANDLERS, fetch: fetchFrom(web, assertFits) }, containers: containersOver(web) };
  const rig: ImportRig = {
    deps,
    staging,
    stores,
    web,
    around: undefined,
    staged: (bytes, attributes, options) => stage(rig, bytes, attributes, options?.hashed ?? true),
    task: (image, method, options) => recordTask(deps, image, method, options),
    run: (taskId, options) => execute(rig, steps, taskId, options),
    async image(id) {
      const image = await deps.images.get(id);
      if (image === undefined) throw new Error(`there is no image ${id}`);
      return image;
    },
    async read(image, location) {
      const stored = storedBytesOf(deps.config, image, location);
      if (stored === undefined) throw new Error(`${location.url} leads nowhere`);
      const reader = await openStored(places, stored);
      const chunks: Buffer[] = [];
      for await (const chunk of reader.stream(0, reader.size)) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks);
    },
  };
  return rig;
}

/** Long steps where everything fits. */
function containersOver(web: ReadonlyMap<string, WebAnswer>): Readonly<Record<string, StepHandler<never>>> {
  const fits = (): void => undefined;
  return {
    fetch: fetchFrom(web, fits),
    gather: byteStep((deps, task, _event, guard) => gatherRendered(deps, task, { guard, assertFits: fits })),
    plugin: byteStep<StepEvent & { readonly plugin: string }>((deps, task, { plugin }, guard) =>
      runPlugin(deps, task, plugin, { guard, assertFits: fits }),
    ),
    verify: byteStep((deps, task) => verifySignature(deps, task, { assertFits: fits })),
    hash: byteStep((deps, task) => hashRendered(deps, task, { assertFits: fits })),
    copy: byteStep<StepEvent & { readonly store: string }>((deps, task, { store }, guard) =>
      copyToStore(deps, task, store, { guard, assertFits: fits }),
    ),
  };
}

/** The step as deployed, with a web of the test's. */
function fetchFrom(web: ReadonlyMap<string, WebAnswer>, fits: StepTools['assertFits']): StepHandler<never> {
  const open: Web['open'] = async ({ uri }, _signal, rest) => {
    const answer = web.get(uri);
    if (answer === undefined) throw new FetchFailed(`${shownUri(uri)} answered 404 Not Found`);
    const { body, length = body.length, validator, onChunk, connections } = answer;
    const offset = rest !== undefined && rest.validator === validator ? rest.offset : 0;
    const read = async function* (start: number, end = body.length): AsyncGenerator<Uint8Array> {
      for (let at = start; at < end; at += 65_536) {
        const chunk = body.subarray(at, Math.min(end, at + 65_536));
        await onChunk?.(at, chunk.length);
        yield chunk;
      }
    };
    const ranges = connections === undefined ? {} : { ranges: { connections, read } };
    return { length: length ?? undefined, offset, validator, body: read(offset), ...ranges };
  };
  const readJson: Web['readJson'] = async ({ uri }) => {
    const answer = web.get(uri);
    if (answer === undefined) throw new FetchFailed(`${shownUri(uri)} answered 404 Not Found`);
    return JSON.parse(Buffer.from(answer.body).toString()) as unknown;
  };
  return byteStep((deps, task, _event, guard) =>
    fetchSource(deps, task, { guard, assertFits: fits }, { open, readJson }),
  );
}

async function stage(
  { deps, staging }: ImportRig,
  bytes: Uint8Array,
  attributes: Partial<Image>,
  hashed: boolean,
): Promise<Image> {
  const { id = randomUUID() } = attributes;
  const writeId = 'stage';
  const writer = plainWriter(staging, stagedPrefix(id, writeId));
  await writer.write(bytes);
  const { size } = await writer.finish();
  const hex = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex');
  const digests = hashed ? { md5: hex('md5'), hash: { algo: 'sha512', value: hex('sha512') } } : {};
  const image = anImage({
    containerFormat: 'bare',
    status: 'uploading',
    staged: { writeId, layout: 'plain', size, ...digests },
    ...attributes,
    id,
  });
  await deps.images.create(image);
  return image;
}

async function recordTask(
  deps: ServiceDeps,
  image: Image,
  method: ImportMethod,
  options: Partial<NonNullable<Task['import']>> = {},
): Promise<string> {
  const id = `task-${image.id}-${method.name}`;
  const at = new Date(deps.clock.now()).toISOString();
  await deps.tasks.create(
    aTask({
      ...{ id, imageId: image.id, owner: image.owner ?? '', userId: null, input: {}, createdAt: at, updatedAt: at },
      import: { method, stores: ['central'], allStoresMustSucceed: true, roles: ['member'], ...options },
    }),
  );
  await deps.images.change(image.id, { expect: { lock: null }, set: { lock: id } });
  return id;
}
