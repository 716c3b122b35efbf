import type { ConversionPlan } from '../../formats/convert/plan.ts';
import { writerOf } from '../../formats/writers.ts';
import { getJson } from '../json-object.ts';
import { planKey } from '../keys.ts';
import type { Places } from '../places.ts';
import type { StoredBytes } from '../stored-bytes.ts';

/** What the batches of an import work from; an object in the staging bucket, pure data. */
export interface ImportPlan {
  /** Version of this document. */
  readonly version: 1;
  /** Bytes as they arrived; `etag` pins them. */
  readonly source: StoredBytes;
  readonly sourceFormat: string;
  /** Bytes that slices render: of the raw image, or of the file in which its bytes stand at their own offsets. */
  readonly virtualSize: number;
  /** Slices (16 MiB, numbered from 0) that may hold data, as runs: [first, count], ascending. */
  readonly runs: readonly (readonly [first: number, count: number])[];
  /** Slices per batch. */
  readonly slicesPerBatch: number;
  /** What becomes of the image; absent means raw, packed sparse. */
  readonly conversion?: ConversionPlan;
}

/** True when slices are encoded and put together with tables; otherwise they are packed sparse, each in its place. */
export function isEncoded(plan: ImportPlan): plan is ImportPlan & { readonly conversion: ConversionPlan } {
  return plan.conversion !== undefined && writerOf(plan.conversion.target).tables !== undefined;
}

/** What one batch found: an object beside the plan, read once by Gather. */
export interface Fragment {
  readonly slices: readonly {
    readonly n: number;
    readonly bitmap: string;
    readonly length: number;
    readonly crc32: number;
  }[];
}

/** The same of a conversion to a format with tables: lengths by which Gather places the bodies. */
export interface EncodedFragment {
  readonly encoded: readonly {
    readonly n: number;
    /** `EncodedSlice.index` in base64: 32-bit little-endian entries. */
    readonly index: string;
    /** Of the bodies: plain, packed. */
    readonly crc32: readonly [plain: number, packed: number];
  }[];
}

/** The two bodies of an encoded slice. */
export type Body = 'plain' | 'packed';

/** At most as many batches as one distributed map takes as an array in the state (design section 6). */
const MAX_BATCHES = 1_000;
/** 128 MiB: enough to keep a function busy for a second or two, small enough to spread. */
const MIN_SLICES_PER_BATCH = 8;

/** @throws NotFound, BackendUnavailable */
export function readPlan(places: Places, taskId: string): Promise<ImportPlan> {
  return getJson<ImportPlan>(places.staging, planKey(taskId));
}

export function slicesPerBatch(slices: number): number {
  return Math.max(MIN_SLICES_PER_BATCH, Math.ceil(slices / MAX_BATCHES));
}

export function sliceTotal(plan: Pick<ImportPlan, 'runs'>): number {
  return plan.runs.reduce((sum, [, count]) => sum + count, 0);
}

export function batchCount(plan: Pick<ImportPlan, 'runs' | 'slicesPerBatch'>): number {
  return Math.ceil(sliceTotal(plan) / plan.slicesPerBatch);
}

/** Slice numbers of one batch, ascending. */
export function slicesOfBatch(plan: Pick<ImportPlan, 'runs' | 'slicesPerBatch'>, batch: number): number[] {
  const slices: number[] = [];
  let skip = batch * plan.slicesPerBatch;
  for (const [first, count] of plan.runs) {
    for (let n = Math.min(skip, count); n < count && slices.length < plan.slicesPerBatch; n++) slices.push(first + n);
    skip = Math.max(0, skip - count);
    if (slices.length === plan.slicesPerBatch) break;
  }
  return slices;
}

/** Joins ascending slice numbers into runs. */
export function runsOf(slices: Iterable<number>): [first: number, count: number][] {
  const runs: [number, number][] = [];
  for (const n of slices) {
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[1] === n) last[1] += 1;
    else runs.push([n, 1]);
  }
  return runs;
}
