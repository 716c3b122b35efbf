import type { WithConfig } from '../../core/config.ts';
import { ImageRefused, LimitExceeded } from '../../core/errors.ts';
import type { Image } from '../../core/images/image.ts';
import { contentRefusal, declaredFormat } from '../../core/images/judge-content.ts';
import type { WithImages } from '../../core/images/repository.ts';
import { mayChangeBytes } from '../../core/imports/conversion.ts';
import { type ImportTask, importTask } from '../../core/imports/report/import-task.ts';
import type { WithTasks } from '../../core/tasks/repository.ts';
import type { Introspection } from '../../core/tasks/task.ts';
import { traitsOf } from '../../formats/catalog.ts';
import type { FormatName } from '../../formats/engine/image.ts';
import { type Inspection, inspect } from '../../formats/inspect.ts';
import type { WithPlaces } from '../places.ts';
import type { StoredBytes } from '../stored-bytes.ts';
import { openStored } from '../stored-image.ts';

type InspectDeps = WithConfig & WithImages & WithTasks & WithPlaces;

/**
 * Inspect: the engine looks at the bytes as they arrived; format and virtual size go onto the task. Run again, with `isUnpacked`, after
 * a plugin replaced the bytes: what is inside is judged as strictly as what arrives. A drop without a format gets the one that was found.
 * @throws ImageRefused with the findings in words; LimitExceeded for a virtual size above max_virtual_size
 */
export async function inspectSource(deps: InspectDeps, taskId: string, isUnpacked = false): Promise<void> {
  const task = await importTask(deps, taskId);
  const image = await deps.images.get(task.imageId);
  const { source } = task.facts;
  if (image === undefined || source === undefined) throw new ImageRefused(`Task ${taskId} has nothing to inspect`);
  if (task.import.method.name === 'copy-image') return;
  const declared = declaredFormat(image, deps.config.image_format) ?? (image.diskFormat === null ? 'any' : undefined);
  // ami/ovf/compressed containers are stored as they are
  if (declared === undefined) return noteUnjudged(deps, taskId, image, source);
  // As on upload: whatever it is declared to be, an image may have no bytes.
  if (source.size === 0 && declared !== 'any') return;
  const found = await look(deps, source, declared);
  if (!isUnpacked && isForDecompression(deps, task, found.format)) return;
  if (found.virtualSize !== null && found.virtualSize > deps.config.max_virtual_size) {
    throw new LimitExceeded(
      `The virtual size of the image is ${found.virtualSize} bytes, max_virtual_size is ${deps.config.max_virtual_size}`,
    );
  }
  const refusal = contentRefusal(declared, found, deps.config.image_format);
  if (refusal !== undefined) throw new ImageRefused(`${refusal}${adviceFor(found.format, isUnpacked)}`);
  await deps.tasks.note(taskId, {
    format: found.format,
    ...(found.virtualSize === null ? {} : { virtualSize: found.virtualSize }),
    found: introspectionOf(found),
  });
  if (image.diskFormat === null) await adopt(deps, task, found.format);
}

async function look(deps: InspectDeps, source: StoredBytes, declared: string): ReturnType<typeof inspect> {
  const bytes = await openStored(deps.places, source);
  return inspect(bytes, {
    ...(declared === 'any' ? {} : { declared: declared as FormatName }),
    maxVirtualSize: deps.config.max_virtual_size,
    nonfatal: deps.config.image_format.gpt_safety_checks_nonfatal,
  });
}

/** Content that no rule looks at, such as that of an aki container: what is recognised is of use where somebody wants to keep it. */
async function noteUnjudged(
  deps: InspectDeps,
  taskId: string,
  { diskFormat, containerFormat }: Image,
  source: StoredBytes,
): Promise<void> {
  const isWanted = deps.config.image_import_plugins.includes('image_introspection');
  if (!isWanted || diskFormat === null || containerFormat === 'compressed' || source.size === 0) return;
  const found = await look(deps, source, diskFormat);
  if (found.verdict !== 'refuse') await deps.tasks.note(taskId, { found: introspectionOf(found) });
}

function introspectionOf({ format, subformat, properties, firmware }: Inspection): Introspection {
  const evidence = firmware.find((hint) => hint.firmware === properties['hw_firmware_type'])?.evidence;
  return {
    format,
    ...(subformat === undefined ? {} : { subformat }),
    properties,
    ...(evidence === undefined ? {} : { firmwareEvidence: evidence }),
  };
}

/** What would make an image of a compressed one. */
function adviceFor(format: string, isUnpacked: boolean): string {
  if (traitsOf(format).wrapper !== true) return '';
  return isUnpacked
    ? ': it is compressed more than once, and an import unpacks once'
    : ': the import plugin image_decompression, which is not enabled, would unpack it';
}

/** A wrapper that image_decompression will take off: what is inside is inspected then. */
function isForDecompression(deps: WithConfig, task: ImportTask, format: string): boolean {
  return (
    mayChangeBytes(deps.config, task) &&
    deps.config.image_import_plugins.includes('image_decompression') &&
    traitsOf(format).wrapper === true
  );
}

/** A bucket drop-in that names no format is what the engine found it to be. */
async function adopt(deps: WithConfig & WithImages, task: ImportTask, format: string): Promise<void> {
  await deps.images.change(task.imageId, {
    expect: { lock: task.id },
    set: adopted(format, deps.config.image_format.disk_formats),
  });
}

/** What an image of a format is called. @throws ImageRefused for one that is neither a disk format nor a container of one */
function adopted(format: string, diskFormats: readonly string[]): Pick<Image, 'diskFormat' | 'containerFormat'> {
  const { glance } = traitsOf(format);
  if (glance !== undefined && 'container' in glance && glance.holds !== undefined)
    return { diskFormat: glance.holds, containerFormat: glance.container };
  if (diskFormats.includes(format)) return { diskFormat: format, containerFormat: 'bare' };
  throw new ImageRefused(`The file is ${format}, which is not one of the disk formats ${diskFormats.join(', ')}`);
}
