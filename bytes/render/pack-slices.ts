import { renderRawSlice } from '../../formats/engine/convert/raw.ts';
import type { DiskImage } from '../../formats/engine/image.ts';
import { SLICE_BYTES, sliceCount, storedGeometry } from '../../formats/engine/sparse/geometry.ts';
import type { Guard } from '../imports/step.ts';
import { putSlice } from '../sparse-writer.ts';
import type { Store } from '../store.ts';
import type { Fragment, ImportPlan } from './import-plan.ts';

type Slice = Fragment['slices'][number];

/** What one batch of packing works with. */
interface Packing {
  readonly to: Store;
  readonly prefix: string;
  readonly image: DiskImage;
  readonly plan: Pick<ImportPlan, 'virtualSize'>;
  readonly guard: Guard;
  /** Told of guest bytes done. */
  readonly onBytes: (bytes: number) => Promise<void>;
}

/** Slices of one batch on their way at once: one is decoded while another is being stored. Memory: so many slices. */
const IN_FLIGHT = 2;

/**
 * Slices of an image in the stored sparse layout: each is rendered, packed where it lies, and its segment stored. All-zero slices
 * leave nothing.
 * @throws what reading the image throws; BackendUnavailable; what `guard` throws
 */
export async function packSlices(packing: Packing, numbers: readonly number[]): Promise<Slice[]> {
  const packed: (Slice | undefined)[] = [];
  const queue = numbers.entries();
  const lane = async (): Promise<void> => {
    const memory = new ArrayBuffer(SLICE_BYTES);
    for (const [at, n] of queue) packed[at] = await packOne(packing, n, Buffer.from(memory));
    // Given back now: a thread that waits for its next call collects no garbage.
    memory.transfer(0);
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, numbers.length) }, lane));
  return packed.filter((slice) => slice !== undefined);
}

async function packOne(
  { to, prefix, image, plan, guard, onBytes }: Packing,
  n: number,
  memory: Buffer,
): Promise<Slice | undefined> {
  const geometry = storedGeometry(plan.virtualSize);
  const slice = await renderRawSlice(image, { ...geometry, sliceCount: sliceCount(geometry) }, n, memory);
  const entry = slice === null ? undefined : await putSlice(to, prefix, n, slice, { into: slice, guard });
  await onBytes(SLICE_BYTES);
  if (entry === undefined) return undefined;
  const { bitmap, segmentLength, crc32 } = entry;
  return { n, bitmap: Buffer.from(bitmap).toString('base64'), length: segmentLength, crc32 };
}
