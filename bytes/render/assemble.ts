import { crc32 } from 'node:zlib';
import type { WithClock } from '../../core/clock.ts';
import type { WithConfig } from '../../core/config.ts';
import type { WithDuties } from '../../core/duties/duty.ts';
import type { WithImages } from '../../core/images/repository.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import { reporter } from '../../core/imports/report/reporter.ts';
import type { WithLog } from '../../core/log.ts';
import type { WithTasks } from '../../core/tasks/repository.ts';
import { type Assembly, assemble, type Part, planParts, type Region } from '../../formats/convert/assembly.ts';
import type { ConversionPlan } from '../../formats/convert/plan.ts';
import { Corrupt } from '../../formats/engine/errors.ts';
import type { Guard, StepTools } from '../imports/step.ts';
import { inParts } from '../in-parts.ts';
import { bodyKey, dataKey, groupKey, imagePrefix, uploadNoteKey } from '../keys.ts';
import { readObject } from '../object-source.ts';
import type { WithPlaces } from '../places.ts';
import { stands } from '../stands.ts';
import type { Multipart, PartBounds, Store } from '../store.ts';
import type { StoredBytes } from '../stored-bytes.ts';
import type { Body, EncodedFragment } from './import-plan.ts';

export type AssembleDeps = WithClock & WithConfig & WithImages & WithTasks & WithDuties & WithLog & WithPlaces;

/** Parts on their way at once; a part in memory is less than three times the smallest that the store takes, but for the tables. */
const LANES = 6;
/** What a part that the store copies by itself takes the step, in bytes through memory: a few hundred milliseconds in one of the lanes. */
const COPY_COSTS = 4 * 1024 ** 2;

interface Job {
  readonly staging: Store;
  readonly taskId: string;
  readonly assembly: Assembly;
  /** CRC32s of the bodies of a slice: plain, packed. */
  readonly checksums: ReadonlyMap<number, readonly number[]>;
}

/**
 * Phase 2 of a conversion to a format with tables: from the lengths of all bodies follows where everything stands; the object is
 * put together from the bodies, large ones inside the store. Doing it again replaces it, but for the groups that stand already.
 * @throws StepTooLong; Corrupt; BackendUnavailable; what `guard` throws
 */
export async function assembleObject(
  deps: AssembleDeps,
  task: ImportTask,
  conversion: ConversionPlan,
  fragments: AsyncIterable<EncodedFragment>,
  tools: StepTools,
): Promise<StoredBytes> {
  const { staging } = deps.places;
  const { index, checksums } = await joined(conversion, fragments);
  const assembly = assemble(conversion, index);
  const job = { staging, taskId: task.id, assembly, checksums };
  await deps.tasks.note(task.id, {
    work: { ...task.facts.work, assemble: assembly.size, hash: assembly.size },
  });
  const parts = planParts(assembly, staging.abilities.minPartBytes);
  const costs = parts.map(({ copy, length }) => (copy ? COPY_COSTS : length));
  tools.assertFits(
    'assemble',
    costs.reduce((sum, cost) => sum + cost, 0),
  );
  const prefix = imagePrefix(task.imageId, task.id);
  const report = reporter(deps, task, 'assemble', 0, assembly.size);
  const onBytes = (bytes: number) => report.add(bytes);
  const etag = await putTogether(job, dataKey(prefix), parts, { guard: tools.guard, onBytes });
  await report.end();
  return { place: 'staging', prefix, layout: 'plain', size: assembly.size, etag };
}

interface Work {
  readonly guard: Guard;
  /** Told of bytes of the result that stand. */
  readonly onBytes: (bytes: number) => Promise<void>;
}

/** One upload; where it would have more parts than the store takes, one of groups, each an object that an upload of its own makes. */
async function putTogether(job: Job, key: string, parts: readonly Part[], work: Work): Promise<string> {
  const { staging, taskId, assembly } = job;
  const { guard } = work;
  const lanes = LANES;
  if (parts.length <= staging.abilities.maxParts) {
    const lengthOf = (n: number): number => parts[n]?.length ?? 0;
    const [{ offset = 0 } = {}] = parts;
    const of = { size: assembly.size, count: parts.length, offset };
    const note = { at: staging, key: uploadNoteKey(taskId, `assemble:${offset}`), of };
    const options = { count: parts.length, lanes, lengthOf, guard, note, onBytes: work.onBytes };
    return inParts(staging, key, options, async (multipart, n) => {
      const part = parts[n];
      if (part !== undefined) await putPart(job, multipart, n, part);
    });
  }
  const groups = grouped(parts, staging.abilities);
  for (const [n, group] of groups.entries()) {
    if (await stands(staging, groupKey(taskId, n), group.length)) await work.onBytes(group.length);
    else await putTogether(job, groupKey(taskId, n), group.parts, work);
  }
  const lengthOf = (n: number): number => groups[n]?.length ?? 0;
  return inParts(staging, key, { count: groups.length, lanes, lengthOf, guard }, (multipart, n) =>
    multipart.copyPart(n, { store: staging, key: groupKey(taskId, n), size: lengthOf(n) }, 0, lengthOf(n)),
  );
}

interface Group {
  readonly length: number;
  readonly parts: readonly Part[];
}

/** Parts in order, as many together as one upload takes, and no more bytes than one part of the next may have. */
function grouped(parts: readonly Part[], { maxParts, maxPartBytes }: PartBounds): Group[] {
  const groups: { length: number; parts: Part[] }[] = [];
  for (const part of parts) {
    const last = groups.at(-1);
    if (last === undefined || last.parts.length === maxParts || last.length + part.length > maxPartBytes)
      groups.push({ length: part.length, parts: [part] });
    else {
      last.parts.push(part);
      last.length += part.length;
    }
  }
  return groups;
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

async function putPart(job: Job, multipart: Multipart, n: number, part: Part): Promise<void> {
  const [first] = part.regions;
  if (part.copy && first !== undefined && isBody(first.kind)) {
    const size = job.assembly.slices[`${first.kind}Length`][first.slice];
    const from = { store: job.staging, key: bodyKey(job.taskId, first.slice, first.kind), size };
    const start = first.skip ?? 0;
    await multipart.copyPart(n, from, start, start + first.length);
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
    // The front of a body whose rest the store copies: no more is known of it than of that.
    if (target.length < (assembly.slices[`${kind}Length`][slice] ?? 0)) return;
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
