import type { Config, WithConfig } from '../../core/config.ts';
import type { Image } from '../../core/images/image.ts';
import { isToBeConverted } from '../../core/imports/conversion.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import type { WithTasks } from '../../core/tasks/repository.ts';
import { compressionOf } from '../../formats/engine/decompress/decompress.ts';
import { parseHeader } from '../../formats/qcow2/header.ts';
import { writerOf } from '../../formats/writers.ts';
import type { WithPlaces } from '../places.ts';
import { targetOptions } from '../render/target-options.ts';

/** What is known of a download when its first bytes are there. */
export interface Announced {
  readonly image: Image | undefined;
  readonly head: Uint8Array;
  /** Bytes, when the server tells. */
  readonly length: number | undefined;
}

/**
 * Notes what a download will bring to do, so that the percentage neither leaps nor waits when Plan knows better. Where the head does
 * not tell how large the disk is, the file's length stands for it; without a length there is no percentage yet.
 */
export async function announceWork(
  deps: WithConfig & WithPlaces & WithTasks,
  task: ImportTask,
  { image, head, length }: Announced,
): Promise<void> {
  if (image === undefined || length === undefined) return;
  const isConverted = isToBeConverted(deps.config, image);
  const work = isConverted ? conversion(deps, head, length) : packing(deps, task, image, length);
  const unpacking = isToBeUnpacked(deps, image, head) ? { decompress: length } : {};
  await deps.tasks.note(task.id, { work: { fetch: length, ...unpacking, ...work } });
}

function isToBeUnpacked({ config }: WithConfig, { containerFormat }: Image, head: Uint8Array): boolean {
  if (containerFormat === 'compressed' || !config.image_import_plugins.includes('image_decompression')) return false;
  return compressionOf(head) !== undefined;
}

/** The result is put together with tables of its own, behind the slices. */
function hasTables(config: Config): boolean {
  const { target: format, subformat } = targetOptions(config, config.image_conversion.output_format);
  return writerOf({ format, subformat }).tables !== undefined;
}

function conversion({ config }: WithConfig, head: Uint8Array, length: number): Record<string, number> {
  if (hasTables(config)) return { render: length, assemble: length, hash: length };
  return { render: length, hash: qcow2Size(head) ?? length };
}

/** Bytes that are stored as they arrive are hashed on the way; raw is packed where a store keeps it sparse. */
function packing(
  { places }: WithPlaces,
  { import: { stores } }: ImportTask,
  { diskFormat, containerFormat }: Image,
  length: number,
): Record<string, number> {
  const isRaw = diskFormat === 'raw' && containerFormat === 'bare';
  return isRaw && stores.some((id) => places.store(id).sparse) ? { render: length } : {};
}

function qcow2Size(head: Uint8Array): number | undefined {
  try {
    return parseHeader(head).virtualSize;
  } catch {
    return undefined; // not qcow2, or too little of it: Inspect will say
  }
}
