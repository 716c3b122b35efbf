/**
 * Conversion as pure data: a plan says everything that any number of workers need to render their slices alike, whatever
 * order, process or machine they run in. `raw.ts` renders raw slices; `blocks.ts` and `assembly.ts` make the formats
 * that have tables.
 */
import { capped, roundUp } from '../engine/bytes.ts';
import { SourceChanged, Unsupported } from '../engine/errors.ts';
import type { DiskImage, FormatName } from '../engine/image.ts';
import type { ByteSource } from '../engine/source.ts';
import { SLICE_BYTES } from '../engine/sparse/geometry.ts';
import type { FormatWriter, Target, TargetChoices, TargetLayout } from '../engine/writer.ts';
import { type TargetName, writerOf } from '../writers.ts';

/** Grows whenever the same plan would render other bytes. */
const ENGINE_VERSION = 2;

/** What to make, by the choices that its writer offers. */
export interface TargetOptions extends TargetChoices {
  readonly target: TargetName;
}

/** A conversion: plain JSON values, all sizes bytes. */
export interface ConversionPlan extends TargetLayout {
  readonly engine: number;
  readonly source: { readonly format: FormatName; readonly size: number; readonly etag?: string };
  /** Bytes that slices read: the guest's bytes of the source, or of a result without tables the whole file (`placed.ts`). */
  readonly virtualSize: number;
  readonly sliceCount: number;
}

/** Blocks of one conversion at most: bounds the index in memory at 64 MiB. 1 TiB at 64 KiB clusters. */
const MAX_BLOCKS = 2 ** 24;

/**
 * Plans a conversion; reads nothing. Whether the image may be converted at all is decided before (`guard.ts`).
 * @param sliceSize a multiple of the target's block size; only tests need another than the default
 * @throws Unsupported for a choice that the target does not offer, LimitExceeded when the format cannot hold a disk of that size or the
 *   target has too many blocks
 */
export function planConversion(
  image: DiskImage,
  source: Pick<ByteSource, 'size' | 'etag'>,
  options: TargetOptions,
  sliceSize: number = SLICE_BYTES,
): ConversionPlan {
  const writer = writerOf({ format: options.target, subformat: options.subformat });
  const target = targetOf(writer, options);
  const outputSize = roundUp(image.virtualSize, sizeUnit(writer, options));
  if (writer.maxSize !== undefined) capped(outputSize, writer.maxSize, `bytes of a ${writer.format} disk`);
  if (sliceSize % target.blockSize !== 0) {
    throw new Unsupported(`slices of ${sliceSize} bytes are no whole number of blocks of ${target.blockSize}`);
  }
  if (writer.tables !== undefined) capped(Math.ceil(outputSize / target.blockSize), MAX_BLOCKS, 'blocks of the target');
  const layout = { target, ...diskIdOf(options), outputSize, sliceSize };
  const size = fileSizeOf(layout);
  return {
    engine: ENGINE_VERSION,
    source: { format: image.format, size: source.size, ...(source.etag === undefined ? {} : { etag: source.etag }) },
    ...layout,
    virtualSize: size ?? image.virtualSize,
    sliceCount: Math.ceil((size ?? outputSize) / sliceSize),
  };
}

/** Bytes of a result without tables; of another they follow from its bodies. */
function fileSizeOf(layout: TargetLayout): number | undefined {
  const { tables, trailer } = writerOf(layout.target);
  return tables === undefined ? layout.outputSize + (trailer?.(layout).length ?? 0) : undefined;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/iu;

function diskIdOf({ diskId }: TargetChoices): Pick<TargetLayout, 'diskId'> {
  if (diskId === undefined) return {};
  if (!UUID.test(diskId)) throw new Unsupported(`diskId ${diskId} is not a UUID`);
  return { diskId };
}

/** What `wholeMib` pads to, in bytes. */
export const MIB = 1024 * 1024;

/** The guest bytes of a result are a multiple of this. */
function sizeUnit(writer: FormatWriter, { wholeMib = false }: TargetChoices): number {
  if (!wholeMib) return writer.sectorSize;
  if (writer.wholeMib !== true) throw new Unsupported(`${writer.format}: sizes are not rounded to whole MiB`);
  return MIB;
}

function targetOf(writer: FormatWriter, { compression = writer.compressions[0], clusterSize }: TargetChoices): Target {
  const { format, subformat, clusterSizes, compressions } = writer;
  if (!compressions.includes(compression))
    throw new Unsupported(`${format}: compression ${compression} is not written`);
  if (clusterSize !== undefined) assertClusterSize(clusterSize, clusterSizes);
  return {
    format,
    ...(subformat === undefined ? {} : { subformat }),
    blockSize: writer.blockSize(clusterSize),
    compression,
  };
}

function assertClusterSize(bytes: number, sizes: FormatWriter['clusterSizes']): void {
  if (sizes === undefined) throw new Unsupported(`cluster size ${bytes}: the target has no clusters`);
  if (!(bytes >= sizes.least && bytes <= sizes.most && Number.isInteger(Math.log2(bytes)))) {
    throw new Unsupported(`cluster size ${bytes} is not a power of two from ${sizes.least} to ${sizes.most}`);
  }
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
