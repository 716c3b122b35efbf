/**
 * Conversion as pure data: a plan says everything that any number of workers need to render their slices alike, whatever
 * order, process or machine they run in. `raw.ts` renders raw slices; `blocks.ts` and `assembly.ts` make the formats
 * that have tables.
 */
import { capped, roundUp } from '../bytes.ts';
import { SourceChanged, Unsupported } from '../errors.ts';
import type { DiskImage, FormatName } from '../image.ts';
import type { ByteSource } from '../source.ts';
import { SLICE_BYTES } from '../sparse/geometry.ts';

/** Grows whenever the same plan would render other bytes. */
export const ENGINE_VERSION = 2;

export type Compression = 'none' | 'zlib' | 'zstd';

/** What to make. `clusterSize` is bytes, a power of two from 512 to 2 MiB, 64 KiB when absent. */
export type TargetOptions =
  | { readonly target: 'raw' }
  | { readonly target: 'qcow2'; readonly compression?: Compression; readonly clusterSize?: number }
  | { readonly target: 'vmdk' };

/** The target with every choice made; `blockSize` is a cluster, a grain, or a block of zero detection. */
export interface Target {
  readonly format: 'raw' | 'qcow2' | 'vmdk';
  readonly blockSize: number;
  readonly compression: Compression;
}

/** A conversion: plain JSON values, all sizes bytes. */
export interface ConversionPlan {
  readonly engine: number;
  readonly source: { readonly format: FormatName; readonly size: number; readonly etag?: string };
  readonly target: Target;
  /** Guest bytes of the source. */
  readonly virtualSize: number;
  /** Guest bytes of the result: the source's, in targets made of sectors padded with zeros to a multiple of 512. */
  readonly outputSize: number;
  readonly sliceSize: number;
  readonly sliceCount: number;
}

/** Blocks of one conversion at most: bounds the index in memory at 64 MiB. 1 TiB at 64 KiB clusters. */
const MAX_BLOCKS = 2 ** 24;
const MIN_CLUSTER = 512;
const MAX_CLUSTER = 2 * 1024 * 1024;
const DEFAULT_CLUSTER = 64 * 1024;
const SECTOR = 512;

/**
 * Plans a conversion; reads nothing. Whether the image may be converted at all is decided before (`guard.ts`).
 * @param sliceSize a multiple of the target's block size; only tests need another than the default
 * @throws Unsupported for a cluster size that is none, LimitExceeded when the target has too many blocks
 */
export function planConversion(
  image: DiskImage,
  source: Pick<ByteSource, 'size' | 'etag'>,
  options: TargetOptions,
  sliceSize: number = SLICE_BYTES,
): ConversionPlan {
  const target = targetOf(options);
  const outputSize = target.format === 'raw' ? image.virtualSize : roundUp(image.virtualSize, SECTOR);
  if (sliceSize % target.blockSize !== 0) {
    throw new Unsupported(`slices of ${sliceSize} bytes are no whole number of blocks of ${target.blockSize}`);
  }
  if (target.format !== 'raw') capped(Math.ceil(outputSize / target.blockSize), MAX_BLOCKS, 'blocks of the target');
  return {
    engine: ENGINE_VERSION,
    source: { format: image.format, size: source.size, ...(source.etag === undefined ? {} : { etag: source.etag }) },
    target,
    virtualSize: image.virtualSize,
    outputSize,
    sliceSize,
    sliceCount: Math.ceil(outputSize / sliceSize),
  };
}

function targetOf(options: TargetOptions): Target {
  if (options.target === 'raw') return { format: 'raw', blockSize: 1, compression: 'none' };
  if (options.target === 'vmdk') return { format: 'vmdk', blockSize: DEFAULT_CLUSTER, compression: 'zlib' };
  const blockSize = options.clusterSize ?? DEFAULT_CLUSTER;
  if (!(blockSize >= MIN_CLUSTER && blockSize <= MAX_CLUSTER && Number.isInteger(Math.log2(blockSize)))) {
    throw new Unsupported(`cluster size ${blockSize} is not a power of two from ${MIN_CLUSTER} to ${MAX_CLUSTER}`);
  }
  return { format: 'qcow2', blockSize, compression: options.compression ?? 'none' };
}

/**
 * Makes sure that a plan still fits what is about to be read.
 * @throws SourceChanged when the source is another than at planning, Unsupported for a plan of another engine version
 */
export function assertPlanFits(plan: ConversionPlan, source: Pick<ByteSource, 'size' | 'etag'>): void {
  if (plan.engine !== ENGINE_VERSION) {
    throw new Unsupported(`the plan was made by engine version ${plan.engine}, this is ${ENGINE_VERSION}`);
  }
  if (plan.source.size !== source.size || plan.source.etag !== source.etag) {
    throw new SourceChanged(
      `the plan is for ${plan.source.size} bytes with etag ${plan.source.etag}, the source has ${source.size} with ${source.etag}`,
    );
  }
}

/** How an image is cut into slices; sizes are bytes. */
export type SlicedImage = Pick<ConversionPlan, 'virtualSize' | 'sliceSize' | 'sliceCount'>;

/** First guest byte of a slice, and its guest bytes in the source. @throws RangeError for a slice that is not in the plan */
export function sliceRange(plan: SlicedImage, index: number): { readonly start: number; readonly length: number } {
  if (!(Number.isInteger(index) && index >= 0 && index < plan.sliceCount)) {
    throw new RangeError(`slice ${index} of ${plan.sliceCount}`);
  }
  const start = index * plan.sliceSize;
  return { start, length: Math.max(0, Math.min(plan.sliceSize, plan.virtualSize - start)) };
}
