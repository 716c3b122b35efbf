import type { WithClock } from '../../core/clock.ts';
import type { WithConfig } from '../../core/config.ts';
import type { WithDuties } from '../../core/duties/duty.ts';
import type { WithImages } from '../../core/images/repository.ts';
import { mayChangeBytes } from '../../core/imports/conversion.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import { reporter } from '../../core/imports/report/reporter.ts';
import type { WithLog } from '../../core/log.ts';
import type { WithTasks } from '../../core/tasks/repository.ts';
import { compressionOf, openDecompressor } from '../../formats/engine/decompress/decompress.ts';
import type { ByteSource } from '../../formats/engine/source.ts';
import { createDigester } from '../../formats/node/digest/digest.ts';
import { dataKey, unpackedPrefix, uploadNoteKey } from '../keys.ts';
import { openUpload } from '../noted-upload.ts';
import type { WithPlaces } from '../places.ts';
import { plainWriter } from '../plain-writer.ts';
import { openStored } from '../stored-image.ts';
import { inspectSource } from './inspect.ts';
import type { StepTools } from './step.ts';

type DecompressDeps = WithConfig & WithClock & WithImages & WithTasks & WithDuties & WithLog & WithPlaces;

const HEAD_BYTES = 16;

/**
 * image_decompression: gzip, zstd, xz, bzip2 and zip (one member) are taken off, streaming, hashed on the way; the engine then looks at what
 * is inside. Images whose container is `compressed` stay as they are, and so do signed ones and bytes that are not compressed.
 * What is reported are packed bytes: how much comes out nobody knows before.
 * @throws ImageRefused, LimitExceeded (image_size_cap), Unsupported kinds by name
 */
export async function decompressSource(deps: DecompressDeps, task: ImportTask, tools: StepTools): Promise<void> {
  const { source } = task.facts;
  const image = await deps.images.get(task.imageId);
  const prefix = unpackedPrefix(task.imageId, task.id);
  if (source === undefined || image?.containerFormat === 'compressed' || !mayChangeBytes(deps.config, task)) return;
  // An earlier attempt got so far, and perhaps no further.
  if (source.prefix === prefix) return inspectSource(deps, task.id, true);
  // Inspect has taken it for an image as it is: a ramdisk is compressed by nature.
  if (task.facts.format !== undefined) return;
  const packed = await openStored(deps.places, source);
  const kind = compressionOf(await packed.read(0, Math.min(HEAD_BYTES, packed.size)));
  if (kind === undefined) return;
  tools.assertFits('decompress', packed.size);
  const { image_size_cap: maxOutputBytes, hashing_algorithm: algorithm } = deps.config;
  await deps.tasks.note(task.id, { work: { ...task.facts.work, decompress: packed.size } });
  const report = reporter(deps, task, 'decompress', 0, packed.size);
  const { source: read, taken } = countedReads(packed);
  const digester = createDigester(['md5', algorithm]);
  const { staging } = deps.places;
  const of = { place: source.place, key: source.key ?? source.prefix, etag: packed.etag ?? null, size: packed.size };
  const note = { at: staging, key: uploadNoteKey(task.id, 'decompress'), of };
  // All of it is unpacked and hashed again; only what an earlier attempt stored is not stored again.
  const upload = await openUpload(staging, dataKey(prefix), { note });
  const writer = plainWriter(staging, prefix, {
    guard: tools.guard,
    tap: (bytes) => digester.update(bytes),
    upload,
  });
  try {
    for await (const chunk of openDecompressor(kind)(read, { maxOutputBytes })) {
      await writer.write(chunk);
      await report.add(taken());
    }
    const { size, etag } = await writer.finish();
    const { md5 = '', [algorithm]: value = '' } = await digester.digest();
    await report.end();
    await deps.tasks.note(task.id, {
      packed: source,
      source: { place: 'staging', prefix, layout: 'plain', size, ...(etag === undefined ? {} : { etag }) },
      sourceDigests: { md5, hash: { algo: algorithm, value } },
    });
  } catch (error) {
    digester.close();
    await writer.abort(error);
    throw error;
  }
  await inspectSource(deps, task.id, true);
}

/** Counts what is read of a source: `taken` answers the bytes since it was last asked, of all together no more than there are. */
function countedReads(packed: ByteSource): { readonly source: ByteSource; readonly taken: () => number } {
  let read = 0;
  let told = 0;
  const source: ByteSource = {
    size: packed.size,
    async read(offset, length) {
      const bytes = await packed.read(offset, length);
      read = Math.min(packed.size, read + length);
      return bytes;
    },
  };
  const taken = (): number => {
    const more = read - told;
    told = read;
    return more;
  };
  return { source, taken };
}
