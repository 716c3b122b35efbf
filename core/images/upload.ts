/**
 * The rules of PUT file and PUT stage (contract: images.md sections 10 and 12): who may begin, what the record says meanwhile, and
 * how an upload ends, well or badly. The bytes themselves are the gateway's and `bytes/`'s.
 *
 *     beginUpload ─ lock = write id, saving | uploading, duty ─┬─ completeFile | completeStage ─ active | staged, lock free, duty gone
 *                                                              └─ abandonUpload (or the janitor, when we died) ─ queued, swept, duty gone
 */

import type { WithBytes } from '../../bytes/bytes-port.ts';
import { imagePrefix, stagedPrefix } from '../../bytes/keys.ts';
import type { Layout } from '../../bytes/stored-bytes.ts';
import type { WithClock, WithIds } from '../clock.ts';
import { defaultStore, type WithConfig } from '../config.ts';
import type { Duty, WithDuties } from '../duties/duty.ts';
import { Conflict, Gone, InvalidInput, NotFound, StaleRevision } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import type { WithLookUps } from '../identity/look-ups.ts';
import type { WithLog } from '../log.ts';
import type { WithMembers } from '../members/repository.ts';
import type { WithPolicy } from '../policy/port.ts';
import { isCounted } from '../quota/ceilings.ts';
import type { WithLimits } from '../quota/limited-resources.ts';
import { enforceLimit } from '../quota/limits.ts';
import type { WithUsage } from '../quota/usage.ts';
import { type ExpectedSignature, expectedSignature } from '../signatures/expected.ts';
import type { WithKeyManager } from '../signatures/key-manager.ts';
import { refusedSignature, SignatureRefused } from '../signatures/refused.ts';
import { enforce, seenImage } from './access.ts';
import { holdImage } from './hold-image.ts';
import type { Image, StagedData } from './image.ts';
import type { ImageChange, WithImageList, WithImages } from './repository.ts';
import { retireWrite } from './retire-write.ts';
import { lacksSignature, requiresSignatures, type SignedOutcome, signedOutcome } from './signed.ts';
import { BYTES_LIMIT, type UploadKind, uploadLimit } from './upload-limits.ts';

type UploadDeps = WithConfig &
  WithClock &
  WithIds &
  WithImages &
  WithMembers &
  WithImageList &
  WithUsage &
  WithLimits &
  WithLookUps &
  WithKeyManager &
  WithPolicy &
  WithDuties &
  WithBytes &
  WithLog;

export interface UploadRequest {
  readonly kind: UploadKind;
  readonly imageId: string;
  /** X-Image-Meta-Store as sent. */
  readonly store: string | undefined;
  /** x-openstack-image-size, else Content-Length; absent for a chunked body. */
  readonly declaredSize: number | undefined;
}

/** An upload under way: it holds the image's lock under its write id. */
export interface Upload {
  readonly kind: UploadKind;
  readonly writeId: string;
  /** The image as it was when the upload began. */
  readonly image: Image;
  /** Where the bytes go. */
  readonly place: string;
  readonly prefix: string;
  readonly layout: Layout;
  /** Bytes it may have. */
  readonly limitBytes: number;
  readonly declaredSize: number | undefined;
  /** Of PUT file: what the bytes must be signed with, as the image said when it began. */
  readonly signature?: ExpectedSignature;
}

/** What the record learns from the bytes. */
export interface Received {
  readonly size: number;
  readonly storedBytes: number;
  readonly url: string;
  /** Absent for staged bytes that nobody needs the hashes of. */
  readonly md5?: string;
  readonly hash?: { readonly algo: string; readonly value: string };
  /** Bytes the guest sees, when the format says so. */
  readonly virtualSize: number | null;
}

/** The janitor looks at an upload that was silent for this long. */
const UPLOAD_DUE_MS = 45_000;
/** How often a living upload postpones that. */
export const HEARTBEAT_MS = 10_000;

/**
 * Checks an upload in the contract's order and takes the image's lock.
 * @throws InvalidInput (store, formats, signature), LimitExceeded, NotFound, Forbidden, Conflict (status); as `expectedSignature`
 */
export async function beginUpload(deps: UploadDeps, caller: Caller, request: UploadRequest): Promise<Upload> {
  const { kind, declaredSize } = request;
  const store = storeOf(deps, request);
  if (kind === 'file') await enforceLimit(deps, BYTES_LIMIT.file, caller.projectId, declaredSize);
  const seen = await seenImage(deps, caller, request.imageId);
  const { image } = seen;
  await enforce(deps, kind === 'file' ? 'upload_image' : 'modify_image', seen, caller);
  checkState(image, kind);
  if (kind === 'stage') await enforceLimit(deps, BYTES_LIMIT.stage, caller.projectId, declaredSize);
  const limitBytes = await uploadLimit(deps, kind, image.owner, declaredSize);
  const signature = kind === 'file' ? await expectedSignature(deps, caller, image) : undefined;
  const writeId = deps.newId();
  const upload: Upload = {
    kind,
    writeId,
    image,
    place: kind === 'file' ? store.id : 'staging',
    prefix: kind === 'file' ? imagePrefix(image.id, writeId) : stagedPrefix(image.id, writeId),
    layout: isPacked(image, kind, store.sparse) ? 'sparse' : 'plain',
    limitBytes,
    declaredSize,
    ...(signature === undefined ? {} : { signature }),
  };
  await takeLock(deps, upload);
  return upload;
}

function storeOf(deps: UploadDeps, { kind, store }: UploadRequest): { id: string; sparse: boolean } {
  const { config } = deps;
  if (kind === 'stage' || store === undefined) return defaultStore(config);
  const named = config.stores.find((candidate) => candidate.id === store);
  if (named === undefined) throw new InvalidInput(`The Store identifier "${store}" is unknown`);
  return named;
}

function checkState(image: Image, kind: UploadKind): void {
  if (image.status !== 'queued') {
    throw new Conflict(`Image status transition from ${image.status} to ${BUSY[kind]} is not allowed`);
  }
  if (kind === 'stage' || (image.diskFormat !== null && image.containerFormat !== null)) return;
  const missing = [
    ...(image.diskFormat === null ? ['disk_format'] : []),
    ...(image.containerFormat === null ? ['container_format'] : []),
  ];
  throw new InvalidInput(`Properties ${missing.join(', ')} must be set prior to saving data.`);
}

/** Status of the image while its bytes arrive. */
const BUSY = { file: 'saving', stage: 'uploading' } as const;

/** Raw disks are packed while they stream, where the place takes packed images; the staging bucket does. */
function isPacked(image: Image, kind: UploadKind, storeIsSparse: boolean): boolean {
  const bareRaw = image.diskFormat === 'raw' && (image.containerFormat ?? 'bare') === 'bare';
  return bareRaw && (kind === 'stage' || storeIsSparse);
}

async function takeLock(deps: UploadDeps, upload: Upload): Promise<void> {
  const { image, kind, writeId, declaredSize } = upload;
  // Whoever said how long it is has its place from now on; a body of undeclared size takes it when it is complete.
  const size = isCounted(deps.config) && declaredSize !== undefined ? { size: declaredSize } : {};
  await holdImage(deps, image, { status: BUSY[kind], lock: writeId, ...size }, dutyOf(deps, upload));
}

function goneOr(error: unknown, { id }: Image): unknown {
  return error instanceof NotFound
    ? new Gone(`Image ${id} was deleted while its data arrived`, { cause: error })
    : error;
}

export const uploadDutyId = (writeId: string): string => `upload:${writeId}`;

/** What an upload owes, as the janitor finds it. */
export function dutyOf(deps: WithClock, upload: Upload): Duty {
  return {
    id: uploadDutyId(upload.writeId),
    kind: 'upload',
    imageId: upload.image.id,
    writeId: upload.writeId,
    places: [{ place: upload.place, prefix: upload.prefix }],
    dueAtMs: deps.clock.now() + UPLOAD_DUE_MS,
  };
}

/** Says that the upload lives; every HEARTBEAT_MS. */
export async function beat(deps: WithClock & WithDuties, upload: Upload): Promise<void> {
  await deps.duties.put(dutyOf(deps, upload));
}

/** @throws Gone when the image was deleted; Conflict when somebody else took it over (a janitor that thought us dead) */
export async function assertHeld(deps: WithImages, upload: Upload): Promise<void> {
  const image = await deps.images.get(upload.image.id);
  if (image === undefined) throw new Gone(`Image ${upload.image.id} was deleted while its data arrived`);
  if (image.lock !== upload.writeId) {
    throw new Conflict(
      `Image ${upload.image.id} is held by ${image.lock ?? 'nothing'}, not by upload ${upload.writeId}`,
    );
  }
}

/** The image is active and says what a download returns. Its bytes are signed as it expects. @throws Gone, Conflict as `assertHeld`, LimitExceeded, SignatureRefused */
export async function completeFile(deps: UploadDeps, upload: Upload, received: Received): Promise<void> {
  const { mark, mergeProperties } = await outcomeOf(deps, upload);
  await complete(deps, upload, {
    set: {
      status: 'active',
      size: received.size,
      virtualSize: received.virtualSize,
      checksum: received.md5 ?? null,
      hashAlgo: received.hash?.algo ?? null,
      hashValue: received.hash?.value ?? null,
      signature: mark,
      lock: null,
    },
    mergeProperties,
    addLocations: [
      {
        store: upload.place,
        writeId: upload.writeId,
        layout: upload.layout,
        storedBytes: received.storedBytes,
        url: received.url,
        metadata: {},
        addedAtMs: deps.clock.now(),
      },
    ],
  });
}

/** Visibility and properties may be others than when the upload began. */
async function outcomeOf(deps: WithConfig & WithImages, { image, signature }: Upload): Promise<SignedOutcome> {
  const isAsked = signature !== undefined || requiresSignatures(deps.config);
  const now = isAsked ? await deps.images.get(image.id) : undefined;
  const outcome = signedOutcome(now, signature, true);
  const lack = now && lacksSignature(deps.config, { ...now, signature: outcome.mark });
  if (lack !== undefined) throw new SignatureRefused(refusedSignature(image.id, lack));
  return outcome;
}

/** The bytes wait for an import; the image stays `uploading`, and is free. @throws Gone, Conflict as `assertHeld`, LimitExceeded */
export async function completeStage(
  deps: WithImages & WithDuties,
  upload: Upload,
  received: Pick<Received, 'size' | 'md5' | 'hash'>,
): Promise<void> {
  const { size, md5, hash } = received;
  const staged: StagedData = {
    writeId: upload.writeId,
    layout: upload.layout,
    size,
    ...(md5 === undefined ? {} : { md5 }),
    ...(hash === undefined ? {} : { hash }),
  };
  await complete(deps, upload, { set: { staged, size: received.size, lock: null } });
}

async function complete(deps: WithImages & WithDuties, upload: Upload, change: ImageChange): Promise<void> {
  const { image, writeId, kind } = upload;
  try {
    await deps.images.change(image.id, { ...change, expect: { lock: writeId, status: [BUSY[kind]] } });
  } catch (error) {
    // A repeated request of the SDK loses against its own first one.
    if (!(error instanceof Conflict && holdsBytes(await deps.images.get(image.id), writeId))) {
      throw goneOr(error, image);
    }
  }
  await deps.duties.remove(uploadDutyId(writeId));
}

/** True when the record refers to the bytes of this write. */
function holdsBytes(image: Image | undefined, writeId: string): boolean {
  if (image === undefined) return false;
  return image.staged?.writeId === writeId || image.locations.some((location) => location.writeId === writeId);
}

const CLEARED = {
  status: 'queued',
  size: null,
  virtualSize: null,
  checksum: null,
  hashAlgo: null,
  hashValue: null,
  signature: null,
  staged: null,
  lock: null,
} as const;

export type AbandonDeps = WithClock & WithImages & WithDuties & WithBytes & WithLog;

/**
 * Ends an upload that failed or went silent: the image is `queued` and free again, its bytes are swept. An upload that had in fact
 * completed keeps its bytes. For the gateway after a failure, and for the janitor with a due `upload` duty. Repeatable.
 */
export async function abandonUpload(deps: AbandonDeps, duty: Duty): Promise<void> {
  const { imageId, writeId = '', places = [] } = duty;
  try {
    await deps.images.change(imageId, {
      expect: { lock: writeId, status: Object.values(BUSY) },
      set: CLEARED,
    });
  } catch (error) {
    if (!(error instanceof Conflict || error instanceof NotFound)) throw error;
    if (holdsBytes(await deps.images.get(imageId), writeId)) {
      await deps.duties.remove(duty.id);
      return;
    }
  }
  await retireWrite(deps, { imageId, writeId, places });
  await deps.duties.remove(duty.id);
}

/**
 * Staged bytes that no import may take go, and the image is `queued`, as after an upload that failed. Nothing happens when the image is
 * not any more as it was read: then somebody else decides.
 */
export async function giveUpStaged(deps: AbandonDeps, image: Image): Promise<void> {
  if (image.staged === null) return;
  const { writeId } = image.staged;
  const places = [{ place: 'staging', prefix: stagedPrefix(image.id, writeId) }];
  const duty: Duty = {
    ...{ id: uploadDutyId(writeId), kind: 'upload', imageId: image.id, writeId, places },
    dueAtMs: deps.clock.now() + UPLOAD_DUE_MS,
  };
  // The duty first: whoever dies behind it is found by it.
  await deps.duties.put(duty);
  try {
    await deps.images.change(image.id, {
      expect: { revision: image.revision, lock: image.lock, status: ['uploading'] },
      set: { lock: writeId, staged: null },
    });
  } catch (error) {
    await deps.duties.remove(duty.id);
    if (error instanceof Conflict || error instanceof NotFound || error instanceof StaleRevision) return;
    throw error;
  }
  await abandonUpload(deps, duty);
}
