import { crc32 } from 'node:zlib';
import { encodeSlice, workspace } from '../../formats/engine/convert/blocks.ts';
import type { ConversionPlan } from '../../formats/engine/convert/plan.ts';
import type { DiskImage } from '../../formats/engine/image.ts';
import type { Guard } from '../imports/step.ts';
import { bodyKey } from '../keys.ts';
import type { Store } from '../store.ts';
import type { Body, EncodedFragment } from './import-plan.ts';

type Encoded = EncodedFragment['encoded'][number];

/** What one batch of encoding works with. */
interface Encoding {
  readonly staging: Store;
  readonly taskId: string;
  readonly image: DiskImage;
  readonly conversion: ConversionPlan;
  readonly guard: Guard;
  /** Told of guest bytes done. */
  readonly onBytes: (bytes: number) => Promise<void>;
}

/**
 * Phase 1 of a conversion to a format with tables: each slice's bodies become objects beside the plan, named by slice, and
 * their lengths are what Gather places them by. One slice after another: the encoder is the bottleneck, and its memory is two slices.
 * @throws what reading the image throws; BackendUnavailable; what `guard` throws
 */
export async function encodeSlices(encoding: Encoding, numbers: readonly number[]): Promise<Encoded[]> {
  const { image, conversion, onBytes } = encoding;
  const memory = workspace(conversion);
  const encoded: Encoded[] = [];
  for (const n of numbers) {
    const { index, plain, packed } = await encodeSlice(image, conversion, n, memory);
    const bodies = [await putBody(encoding, n, 'plain', plain), await putBody(encoding, n, 'packed', packed)] as const;
    encoded.push({ n, index: Buffer.from(index.buffer).toString('base64'), crc32: bodies });
    await onBytes(conversion.sliceSize);
  }
  return encoded;
}

/** Stores a body that is not empty, and returns its CRC32. */
async function putBody(
  { staging, taskId, guard }: Encoding,
  n: number,
  kind: Body,
  bytes: Uint8Array,
): Promise<number> {
  const crc = crc32(bytes);
  if (bytes.length > 0) {
    await guard();
    await staging.putObject(bodyKey(taskId, n, kind), bytes, { crc32: crc });
  }
  return crc;
}
