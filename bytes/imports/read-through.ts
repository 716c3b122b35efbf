import type { Reporter } from '../../core/imports/report/reporter.ts';
import type { SharedRing } from '../../formats/node/digest/shared-ring.ts';
import { isHole } from '../sparse-batches.ts';
import type { ImageReader } from '../stored-image.ts';

/** Hands every byte of a stored image to a digester, holes as numbers. Reading counts as life of the task. @throws as the reader */
export async function readThrough(reader: ImageReader, ring: SharedRing, report: Reporter): Promise<void> {
  for await (const batch of reader.batches(0, reader.size)) {
    for (const chunk of batch) await (isHole(chunk) ? ring.writeZeros(chunk.length) : ring.write(chunk));
    await report.add(batch.reduce((sum, chunk) => sum + chunk.length, 0));
  }
}
