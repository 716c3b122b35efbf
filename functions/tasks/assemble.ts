import { crc32 } from 'node:zlib';
import { Multipart } from '../../aws/s3/multipart.ts';
import { readObject } from '../../aws/s3/object-source.ts';
import { inLanes } from '../../bytes/in-lanes.ts';
import { copySource, dataKey } from '../../bytes/object-keys.ts';
import { imagePrefix } from '../../bytes/prefixes.ts';
import { openStored } from '../../bytes/stored-image.ts';
import { ImageRefused } from '../../core/errors.ts';
import { type ImportTask, reporter } from '../../core/imports/report.ts';
import type { StoredBytes } from '../../core/tasks/task.ts';
import {
  type Assembly,
  assemble,
  type Part,
  type PartBounds,
  planParts,
  type Region,
} from '../../formats/convert/assembly.ts';
import type { ConversionPlan } from '../../formats/convert/plan.ts';
import { Corrupt } from '../../formats/engine/errors.ts';
import { inspect } from '../../formats/inspect.ts';
import type { ServiceDeps } from '../../service/deps.ts';
import { type Body, bodyKey, type EncodedFragment } from './import-plan.ts';

/** S3's bounds on the parts of one object. */
const PART_BOUNDS: PartBounds = { minPartBytes: 5 * 1024 * 1024, maxParts: 10_000 };
/** Parts on their way at once; a part in memory is the smallest S3 takes, and at most a slice more. */
const LANES = 2;
/** A part that is one body is copied inside S3 from this size on; S3 takes no smaller parts but the last. */
const COPIED_BYTES = 5 * 1024 * 1024;

interface Job {
  readonly deps: ServiceDeps;
  readonly taskId: string;
  readonly assembly: Assembly;
  /** CRC32s of the bodies of a slice: plain, packed. */
  readonly checksums: ReadonlyMap<number, readonly number[]>;
}

/**
 * Phase 2 of a conversion to a format with tables: from the lengths of all bodies follows where everything stands; the object is
 * put together from the bodies, large ones inside S3, and looked at again before anybody gets it. Doing it again replaces it.
 * @throws ImageRefused when the result is not what it should be; Corrupt; BackendUnavailable; what `guard` throws
 */
export async function assembleObject(
  deps: ServiceDeps,
  task: ImportTask,
  conversion: ConversionPlan,
  fragments: AsyncIterable<EncodedFragment>,
  guard: () => Promise<void>,
): Promise<StoredBytes> {
  const { index, checksums } = await joined(conversion, fragments);
  const assembly = assemble(conversion, index);
  const job = { deps, taskId: task.id, assembly, checksums };
  await deps.tasks.note(task.id, {
    work: { ...task.facts.work, assemble: assembly.size, hash: assembly.size },
  });
  const prefix = imagePrefix(task.imageId, task.id);
  const multipart = new Multipart(deps.places.staging, dataKey(prefix));
  const report = reporter(deps, task, 'assemble', 0, assembly.size);
  try {
    const parts = planParts(assembly, PART_BOUNDS);
    await inLanes({ count: parts.length, lanes: LANES }, async (n) => {
      const part = parts[n];
      if (part === undefined) return;
      await guard();
      await putPart(job, multipart, part);
      await report.add(part.length);
    });
    await guard();
    const etag = await multipart.complete();
    await report.end();
    const bytes: StoredBytes = { place: 'staging', prefix, layout: 'plain', size: assembly.size, etag };
    await assertResult(deps, bytes, conversion);
    return bytes;
  } catch (error) {
    await multipart.abort();
    throw error;
  }
}

/** Lengths of all blocks; slices that no batch had are holes. */
async function joined(
  conversion: ConversionPlan,
  fragments: AsyncIterable<EncodedFragment>,
): Promise<{ index: Uint32Array; checksums: Map<number, readonly number[]> }> {
  const { outputSize, sliceSize, target } = conversion;
  const index = new Uint32Array(Math.ceil(outputSize / target.blockSize));
  const checksums = new Map<number, readonly number[]>();
  for await (const { encoded } of fragments) {
    for (const slice of encoded) {
      const bytes = Uint8Array.from(Buffer.from(slice.index, 'base64'));
      index.set(new Uint32Array(bytes.buffer), (slice.n * sliceSize) / target.blockSize);
      checksums.set(slice.n, slice.crc32);
    }
  }
  return { index, checksums };
}

async function putPart(job: Job, multipart: Multipart, part: Part): Promise<void> {
  const [first] = part.regions;
  const n = part.number - 1;
  const { staging } = job.deps.places;
  if (part.regions.length === 1 && first !== undefined && isBody(first.kind) && first.length >= COPIED_BYTES) {
    await multipart.copy(n, copySource(staging, bodyKey(job.taskId, first.slice, first.kind)), 0, first.length);
    return;
  }
  const bytes = Buffer.allocUnsafeSlow(part.length);
  for (const region of part.regions) {
    const at = region.offset - part.offset;
    await fillRegion(job, region, bytes.subarray(at, at + region.length));
  }
  await multipart.put(n, bytes);
}

async function fillRegion({ deps, taskId, assembly, checksums }: Job, region: Region, target: Buffer): Promise<void> {
  const { kind, slice } = region;
  if (isBody(kind)) {
    await readObject(deps.places.staging, bodyKey(taskId, slice, kind), 0, target, {});
    const expected = checksums.get(slice)?.[kind === 'plain' ? 0 : 1];
    const found = crc32(target);
    if (found !== expected)
      throw new Corrupt(`the ${kind} body of slice ${slice} has CRC32 ${found}, ${expected} was written`);
    return;
  }
  if (kind === 'gap') {
    target.fill(0);
    return;
  }
  let at = 0;
  for (const piece of kind === 'head' ? assembly.head() : assembly.tail()) {
    target.set(piece, at);
    at += piece.length;
  }
}

const isBody = (kind: Region['kind']): kind is Body => kind === 'plain' || kind === 'packed';

/** The result is inspected like anything that comes from outside (contract: import.md section 6, step 11). */
async function assertResult(
  deps: ServiceDeps,
  bytes: StoredBytes,
  { target, outputSize }: ConversionPlan,
): Promise<void> {
  const found = await inspect(await openStored(deps.places, bytes), { declared: target.format });
  if (found.verdict === 'accept' && found.virtualSize === outputSize) return;
  throw new ImageRefused(
    `The conversion to ${target.format} gave ${found.format} of ${found.virtualSize} bytes where ${outputSize} were expected`,
  );
}
