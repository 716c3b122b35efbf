import { crc32 } from 'node:zlib';
import type { WithClock } from '../../core/clock.ts';
import type { WithDuties } from '../../core/duties/duty.ts';
import { ImageRefused } from '../../core/errors.ts';
import type { WithImages } from '../../core/images/repository.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import { reporter } from '../../core/imports/report/reporter.ts';
import type { WithLog } from '../../core/log.ts';
import type { WithTasks } from '../../core/tasks/repository.ts';
import { type Assembly, assemble, type Part, planParts, type Region } from '../../formats/convert/assembly.ts';
import type { ConversionPlan } from '../../formats/convert/plan.ts';
import { Corrupt } from '../../formats/engine/errors.ts';
import { inspect } from '../../formats/inspect.ts';
import type { Guard } from '../imports/step.ts';
import { inLanes } from '../in-lanes.ts';
import { bodyKey, dataKey, imagePrefix } from '../keys.ts';
import { readObject } from '../object-source.ts';
import type { WithPlaces } from '../places.ts';
import type { Multipart, Store } from '../store.ts';
import type { StoredBytes } from '../stored-bytes.ts';
import { openStored } from '../stored-image.ts';
import type { Body, EncodedFragment } from './import-plan.ts';

export type AssembleDeps = WithClock & WithImages & WithTasks & WithDuties & WithLog & WithPlaces;

/** Parts on their way at once; a part in memory is the smallest the store takes, and at most a slice more. */
const LANES = 2;

interface Job {
  readonly staging: Store;
  readonly taskId: string;
  readonly assembly: Assembly;
  /** CRC32s of the bodies of a slice: plain, packed. */
  readonly checksums: ReadonlyMap<number, readonly number[]>;
}

/**
 * Phase 2 of a conversion to a format with tables: from the lengths of all bodies follows where everything stands; the object is
 * put together from the bodies, large ones inside the store, and looked at again before anybody gets it. Doing it again replaces it.
 * @throws ImageRefused when the result is not what it should be; Corrupt; BackendUnavailable; what `guard` throws
 */
export async function assembleObject(
  deps: AssembleDeps,
  task: ImportTask,
  conversion: ConversionPlan,
  fragments: AsyncIterable<EncodedFragment>,
  guard: Guard,
): Promise<StoredBytes> {
  const { staging } = deps.places;
  const { index, checksums } = await joined(conversion, fragments);
  const assembly = assemble(conversion, index);
  const job = { staging, taskId: task.id, assembly, checksums };
  await deps.tasks.note(task.id, {
    work: { ...task.facts.work, assemble: assembly.size, hash: assembly.size },
  });
  const prefix = imagePrefix(task.imageId, task.id);
  const multipart = staging.multipart(dataKey(prefix));
  const report = reporter(deps, task, 'assemble', 0, assembly.size);
  try {
    const parts = planParts(assembly, staging.abilities);
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
  const { staging } = job;
  const { minPartBytes } = staging.abilities;
  if (part.regions.length === 1 && first !== undefined && isBody(first.kind) && first.length >= minPartBytes) {
    const from = { store: staging, key: bodyKey(job.taskId, first.slice, first.kind) };
    await multipart.copyPart(n, from, 0, first.length);
    return;
  }
  const bytes = Buffer.allocUnsafeSlow(part.length);
  for (const region of part.regions) {
    const at = region.offset - part.offset;
    await fillRegion(job, region, bytes.subarray(at, at + region.length));
  }
  await multipart.putPart(n, bytes);
}

async function fillRegion(
  { staging, taskId, assembly, checksums }: Job,
  region: Region,
  target: Buffer,
): Promise<void> {
  const { kind, slice } = region;
  if (isBody(kind)) {
    await readObject(staging, bodyKey(taskId, slice, kind), 0, target, {});
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
  { places }: WithPlaces,
  bytes: StoredBytes,
  { target, outputSize }: ConversionPlan,
): Promise<void> {
  const found = await inspect(await openStored(places, bytes), { declared: target.format });
  if (found.verdict === 'accept' && found.virtualSize === outputSize) return;
  throw new ImageRefused(
    `The conversion to ${target.format} gave ${found.format} of ${found.virtualSize} bytes where ${outputSize} were expected`,
  );
}
