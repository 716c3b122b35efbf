/** What services do, as scenarios for faults: every way an image comes in, ends, or goes. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { imagePrefix } from '../../../bytes/keys.ts';
import { plainWriter } from '../../../bytes/plain-writer.ts';
import { BackendUnavailable, FetchFailed } from '../../../core/errors.ts';
import { deleteImage } from '../../../core/images/delete.ts';
import type { Image } from '../../../core/images/image.ts';
import { beginUpload } from '../../../core/images/upload.ts';
import { addLocation } from '../../../core/imports/add-location.ts';
import { cancelImport } from '../../../core/imports/cancel.ts';
import { createTask } from '../../../core/imports/create-task.ts';
import { type ImportRequest, requestImport } from '../../../core/imports/import.ts';
import { retryImport } from '../../../core/imports/retry.ts';
import { importImageInFunctions } from '../../../workflows/import-image.ts';
import { callerWith } from '../caller.ts';
import { converted } from '../converted.ts';
import { anImage } from '../images.ts';
import type { ImportRig, WebAnswer } from '../memory/imports.ts';
import type { MemoryStore } from '../memory/store.ts';
import { rawDisk } from '../raw-disk.ts';
import { aSigner } from '../signer.ts';
import { IMAGE_ID, PROJECT } from './cast.ts';
import type { Actor, Scenario } from './play.ts';

const RAW = rawDisk(320 * 1024);
const QCOW2 = await converted(RAW, { target: 'qcow2', compression: 'zlib' });
const VMDK = await converted(RAW, { target: 'vmdk' });
const PACKED = gzipSync(QCOW2);
/** Of an upload, where a server gives parts. */
const PART_BYTES = 64 * 1024;
const URI = 'https://images.example.org/disk';
const ALL = ['central', 'edge', 'abroad'];
const UNPACK_AND_CONVERT = { image_import_plugins: ['image_decompression', 'image_conversion'] };
const INTROSPECTED = {
  image_import_plugins: ['image_decompression', 'image_conversion', 'image_introspection'],
};
const to = (output_format: string) => ({
  image_import_plugins: ['image_conversion'],
  image_conversion: { output_format },
});
/** Counted, and never too many. */
const LIMITS = {
  use_keystone_limits: true,
  registered_limits: { image_size_total: -1, image_stage_total: -1, image_count_total: -1, image_count_uploading: -1 },
};

const SIGNER = aSigner();
const SIGNED = SIGNER.properties(QCOW2);
/** The staged image is signed, and so say its properties. */
const signed = async (rig: ImportRig): Promise<void> => {
  rig.deps.certificates.set(SIGNER.certificateId, SIGNER.certificate);
  await rig.staged(QCOW2, { ...own, diskFormat: 'qcow2', properties: SIGNED }, { hashed: false });
};

const own = { id: IMAGE_ID, owner: PROJECT, containerFormat: 'bare' } as const;

const staged =
  (bytes: Uint8Array, diskFormat: string, hashed = false) =>
  async (rig: ImportRig) =>
    void (await rig.staged(bytes, { ...own, diskFormat }, { hashed }));

const queued = (body: Uint8Array, diskFormat: string) => async (rig: ImportRig) => {
  await rig.deps.images.create(anImage({ ...own, diskFormat }));
  rig.web.set(URI, { body });
};

/** Of a server that gives parts, each over a connection of its own. */
const inParts =
  (onChunk: () => WebAnswer['onChunk'] = () => undefined) =>
  async (rig: ImportRig) => {
    await rig.deps.images.create(anImage({ ...own, diskFormat: 'raw' }));
    const listener = onChunk();
    const answer = { body: RAW, validator: '"1"', connections: 3 };
    rig.web.set(URI, listener === undefined ? answer : { ...answer, onChunk: listener });
  };

/** The connections break that are the first to come behind the third part; one alone then goes on. */
function breaksOff(): WebAnswer['onChunk'] {
  let isBroken = false;
  return (at) => {
    if (isBroken || at < 3 * PART_BYTES) return;
    isBroken = true;
    throw new FetchFailed('the connection broke');
  };
}

const imports =
  (name: string, options: Omit<Partial<ImportRequest>, 'method'> = {}) =>
  async ({ rig, caller, request }: Actor) => {
    const method = name === 'web-download' ? { name, uri: URI } : { name };
    await request('import', () => requestImport(rig.deps, caller, IMAGE_ID, { method, body: { method }, ...options }));
  };

const REMOTE_ID = '20000000-0000-4000-8000-000000000002';
const REMOTE = `https://two.example.org/v2/images/${REMOTE_ID}`;
const FROM_REGION_TWO = {
  enabled_import_methods: ['glance-download'],
  identity: { peer_regions: [{ region: 'RegionTwo', image_url: 'https://two.example.org' }] },
};

const remote = (status: string) => async (rig: ImportRig) => {
  await rig.deps.images.create(anImage({ ...own, diskFormat: 'raw', properties: { os_type: 'windows' } }));
  const formats = { disk_format: 'qcow2', container_format: 'bare' };
  const described = { status, size: QCOW2.length, ...formats, os_type: 'linux', os_distro: 'debian' };
  rig.web.set(REMOTE, { body: Buffer.from(JSON.stringify(described)) });
  rig.web.set(`${REMOTE}/file`, { body: QCOW2 });
};

const fromRegionTwo = async ({ rig, caller, request }: Actor) => {
  const method = { name: 'glance-download', glance_region: 'RegionTwo', glance_image_id: REMOTE_ID };
  await request('import', () =>
    requestImport(rig.deps, caller, IMAGE_ID, { method, body: { method }, token: 'a-token' }),
  );
};

/** An active image of plain bytes in these stores, as an upload and a copy leave it. */
async function active(rig: ImportRig, stores: readonly string[] = ['central']): Promise<void> {
  const writeId = 'upload';
  const locations = [];
  for (const store of stores) {
    const prefix = imagePrefix(IMAGE_ID, writeId);
    const writer = plainWriter(rig.deps.places.store(store), prefix);
    await writer.write(QCOW2);
    const { size } = await writer.finish();
    const url = `s3://${store}/${prefix}data`;
    locations.push({ store, writeId, layout: 'plain', storedBytes: size, url, metadata: {}, addedAtMs: 1 } as const);
  }
  const hex = (algorithm: string) => createHash(algorithm).update(QCOW2).digest('hex');
  const digests = { checksum: hex('md5'), hashAlgo: 'sha512', hashValue: hex('sha512') };
  const attributes: Partial<Image> = { ...own, diskFormat: 'qcow2', status: 'active', size: QCOW2.length, ...digests };
  await rig.deps.images.create(anImage({ ...attributes, locations, revision: 1 }));
}

/** Writes to a store fail. */
function refusing(store: MemoryStore): void {
  const before = store.fault;
  store.fault = async (call) => {
    await before?.(call);
    if (['putObject', 'putPart', 'copyObject', 'copyPart', 'complete'].includes(call.method))
      throw new BackendUnavailable(`Store ${store.id} is not available`);
  };
}

const withoutEdge =
  (allStoresMustSucceed: boolean): Scenario['asked'] =>
  async (actor) => {
    refusing(actor.rig.stores.edge);
    await imports('glance-direct', { stores: ['central', 'edge'], allStoresMustSucceed })(actor);
  };

const deletes = ({ rig, caller, request }: Actor) => request('delete', () => deleteImage(rig.deps, caller, IMAGE_ID));

const firstTask = async ({ rig }: Actor) => (await rig.deps.tasks.list({ forward: true }))[0]?.id ?? '';

const cancels = (actor: Actor) =>
  actor.request('cancel', async () => cancelImport(actor.rig.deps, actor.caller, await firstTask(actor)));

const DROP_KEY = `drop/${PROJECT}/disk.qcow2`;

const HASHED_LOCATION: Pick<Scenario, 'config' | 'before' | 'asked'> = {
  config: { do_secure_hash: true },
  before: async ({ stores, deps }) => {
    await stores.central.putObject('of-a-client/disk.qcow2', QCOW2);
    await deps.images.create(anImage({ ...own, diskFormat: 'qcow2' }));
  },
  asked: ({ rig, request }) => {
    const service = callerWith({ roles: ['service', 'member'], serviceRoles: ['service'], isAdmin: true });
    const expected = { algo: 'sha256', value: createHash('sha256').update(QCOW2).digest('hex') };
    const url = 's3://central/of-a-client/disk.qcow2';
    return request('add location', () => addLocation(rig.deps, service, IMAGE_ID, { url, expected }));
  },
};

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'glance-direct': { before: staged(QCOW2, 'qcow2', true), asked: imports('glance-direct', { stores: ALL }) },
  'glance-direct, packed': {
    struck: ['Plan', 'RenderBatch', 'Gather', 'Hash', 'CopyToStore', 'CleanStaging'],
    before: staged(RAW, 'raw'),
    asked: imports('glance-direct', { stores: ALL }),
  },
  'glance-direct, active with its first copy': {
    struck: ['Hash', 'CopyToStore', 'Finish'],
    before: staged(QCOW2, 'qcow2', true),
    asked: imports('glance-direct', { stores: ALL, allStoresMustSucceed: false }),
  },
  'glance-direct, converted to raw': {
    struck: ['RunPlugin', 'RenderBatch', 'Gather'],
    config: to('raw'),
    before: staged(QCOW2, 'qcow2'),
    asked: imports('glance-direct'),
  },
  'glance-direct, converted to qcow2': {
    struck: ['Plan', 'RenderBatch', 'Gather'],
    config: to('qcow2'),
    before: staged(RAW, 'raw'),
    asked: imports('glance-direct'),
  },
  'web-download': {
    struck: ['Fetch', 'Inspect'],
    before: queued(QCOW2, 'qcow2'),
    asked: imports('web-download'),
  },
  'web-download, over several connections': {
    struck: ['Fetch', 'CleanStaging'],
    partBytes: PART_BYTES,
    before: inParts(),
    asked: imports('web-download'),
  },
  'web-download, over several connections that break': {
    struck: ['Fetch'],
    partBytes: PART_BYTES,
    before: inParts(breaksOff),
    asked: imports('web-download'),
  },
  'web-download, over several connections, in a container': {
    struck: ['FetchInContainer', 'FetchOutcome'],
    partBytes: PART_BYTES,
    functionSeconds: '0.0001',
    before: inParts(),
    asked: imports('web-download'),
  },
  'glance-download': {
    struck: ['import', 'Fetch', 'CleanStaging'],
    config: FROM_REGION_TWO,
    before: remote('active'),
    asked: fromRegionTwo,
  },
  'glance-download of what is not active': {
    struck: ['Fetch', 'Revert', 'CleanAfterRevert', 'janitor'],
    config: { ...FROM_REGION_TWO, ...LIMITS },
    before: remote('deactivated'),
    asked: fromRegionTwo,
  },
  'web-download, unpacked and converted': {
    struck: ['Fetch', 'Inspect', 'RunPlugin', 'CleanStaging'],
    config: UNPACK_AND_CONVERT,
    before: queued(PACKED, 'qcow2'),
    asked: imports('web-download', { stores: ['central', 'edge'] }),
  },
  'glance-direct, introspected': {
    struck: ['Inspect', 'RunPlugin', 'Finish'],
    config: { image_import_plugins: ['image_introspection'] },
    before: staged(VMDK, 'vmdk', true),
    asked: imports('glance-direct', { stores: ['central', 'edge'] }),
  },
  'glance-direct, introspected, active with its first copy': {
    struck: ['RunPlugin', 'Finish'],
    config: { image_import_plugins: ['image_introspection'] },
    before: staged(VMDK, 'vmdk', true),
    asked: imports('glance-direct', { stores: ALL, allStoresMustSucceed: false }),
  },
  'web-download, unpacked, converted and introspected': {
    struck: ['RunPlugin', 'Finish'],
    config: INTROSPECTED,
    before: queued(PACKED, 'qcow2'),
    asked: imports('web-download'),
  },
  'web-download, without containers': {
    struck: ['Fetch', 'RunPlugin', 'CopyToStore'],
    config: { image_import_plugins: ['image_decompression'] },
    machine: importImageInFunctions,
    before: queued(PACKED, 'qcow2'),
    asked: imports('web-download'),
  },
  'web-download, in containers': {
    struck: [
      'FetchInContainer',
      'FetchOutcome',
      'RunPluginInContainer',
      'RunPluginOutcome',
      'CopyToStoreInContainer',
      'CopyToStoreOutcome',
    ],
    config: { ...UNPACK_AND_CONVERT, image_conversion: { output_format: 'qcow2' } },
    functionSeconds: '0.0001',
    before: queued(PACKED, 'qcow2'),
    asked: imports('web-download', { stores: ['abroad'] }),
  },
  'glance-direct, assembled in a container': {
    struck: ['GatherInContainer', 'GatherOutcome', 'HashInContainer', 'HashOutcome'],
    config: to('qcow2'),
    functionSeconds: '0.0001',
    before: staged(RAW, 'raw'),
    asked: imports('glance-direct'),
  },
  'a signed image': {
    struck: ['import', 'VerifySignature', 'Hash', 'Finish'],
    before: signed,
    asked: imports('glance-direct'),
  },
  'a signed image, verified in a container': {
    struck: ['VerifySignatureInContainer', 'VerifySignatureOutcome'],
    functionSeconds: '0.0001',
    before: signed,
    asked: imports('glance-direct'),
  },
  'copy-image': {
    struck: ['import', 'Begin', 'Fetch', 'CopyToStore', 'Finish', 'CleanStaging'],
    caller: { roles: ['admin', 'member', 'reader'], isAdmin: true },
    before: (rig) => active(rig),
    asked: imports('copy-image', { stores: ['edge', 'abroad'] }),
  },
  'a store that fails, among others': {
    struck: ['CopyToStore', 'StoreFailed', 'Finish'],
    before: staged(QCOW2, 'qcow2', true),
    asked: withoutEdge(false),
  },
  'a store that fails, and must not': {
    struck: ['CopyToStore', 'StoreFailed', 'Revert', 'CleanAfterRevert', 'import-ended', 'janitor'],
    before: staged(QCOW2, 'qcow2', true),
    asked: withoutEdge(true),
  },
  'content that is refused': {
    struck: ['Inspect', 'Revert', 'CleanAfterRevert', 'import-ended', 'janitor'],
    config: LIMITS,
    before: staged(QCOW2, 'vmdk'),
    asked: imports('glance-direct'),
  },
  'a task that makes its image, and fails': {
    struck: ['create task', 'Inspect', 'Revert', 'import-ended', 'janitor'],
    config: LIMITS,
    before: async ({ web }) => void web.set(URI, { body: QCOW2 }),
    asked: ({ rig, caller, request }) =>
      request('create task', () =>
        createTask(rig.deps, caller, {
          ...{ input: {}, importFrom: URI, format: 'vmdk' },
          image: { properties: {}, computed: [] },
        }),
      ),
  },
  'a dropped file': {
    struck: ['drop', 'Fetch', 'Inspect', 'janitor'],
    config: LIMITS,
    before: async ({ staging }) => void (await staging.putObject(DROP_KEY, QCOW2)),
    asked: ({ event }) => event('drop', { object: { key: DROP_KEY, sequencer: '1' } }),
  },
  'a location, hashed': {
    struck: ['add location', 'Begin', 'HashLocation', 'Finish'],
    ...HASHED_LOCATION,
  },
  'a location, hashed in a container': {
    struck: ['HashLocationInContainer', 'HashLocationOutcome'],
    ...HASHED_LOCATION,
    functionSeconds: '0.0001',
  },
  'a delete': { config: LIMITS, before: (rig) => active(rig, ALL), asked: deletes },
  'a delete during the copies': {
    struck: ['delete', 'CopyToStore', 'import-ended', 'janitor'],
    config: LIMITS,
    before: staged(QCOW2, 'qcow2', true),
    asked: imports('glance-direct', { stores: ['central'] }),
    meanwhile: (actor) => async (call, run) => {
      if (call.state === 'CopyToStore' && call.attempt === 1) await deletes(actor);
      return run();
    },
  },
  'a delete right after the import': {
    struck: ['delete', 'CopyToStore', 'CleanStaging', 'janitor'],
    config: LIMITS,
    before: staged(QCOW2, 'qcow2', true),
    asked: imports('glance-direct', { stores: ['central'] }),
    meanwhile: (actor) => async (call, run) => {
      const answer = await run();
      if (call.state === 'Finish') await deletes(actor);
      return answer;
    },
  },
  'a cancel during the copies': {
    struck: ['cancel', 'CopyToStore', 'import-ended', 'janitor'],
    config: LIMITS,
    before: staged(QCOW2, 'qcow2', true),
    asked: imports('glance-direct', { stores: ['central'] }),
    meanwhile: (actor) => async (call, run) => {
      if (call.state === 'CopyToStore' && call.attempt === 1) await cancels(actor);
      return run();
    },
  },
  'a cancel, and another try': {
    struck: ['cancel', 'retry', 'janitor', 'Begin', 'Fetch', 'CopyToStore', 'Finish', 'CleanStaging'],
    config: LIMITS,
    before: staged(QCOW2, 'qcow2', true),
    asked: async (actor) => {
      await imports('glance-direct')(actor);
      await cancels(actor);
      const id = await firstTask(actor);
      await actor.request('retry', () => retryImport(actor.rig.deps, actor.caller, id));
    },
  },
  'an upload that went silent': {
    before: async ({ deps, stores }) => {
      await deps.images.create(anImage({ ...own, diskFormat: 'qcow2' }));
      const request = { kind: 'file', imageId: IMAGE_ID, store: undefined, declaredSize: QCOW2.length } as const;
      const { prefix } = await beginUpload(deps, callerWith({ projectId: PROJECT }), request);
      await stores.central.putObject(`${prefix}data`, QCOW2);
    },
    asked: async () => undefined,
  },
  'an import that nobody started': {
    struck: ['import', 'janitor', 'Begin'],
    before: async (rig) => {
      await staged(QCOW2, 'qcow2', true)(rig);
      const { startImport } = rig.deps.workflows;
      let calls = 0;
      Object.assign(rig.deps.workflows, {
        startImport: async (task: Parameters<typeof startImport>[0]) => {
          calls += 1;
          if (calls === 1) throw new BackendUnavailable('Step Functions is not available');
          return startImport(task);
        },
      });
    },
    asked: imports('glance-direct'),
  },
};
