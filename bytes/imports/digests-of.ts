import type { ImportTask } from '../../core/imports/report/import-task.ts';
import { type ReportDeps, type Reporter, reporter } from '../../core/imports/report/reporter.ts';
import { createDigester } from '../../formats/node/digest/digest.ts';
import type { SignatureCheck } from '../../formats/node/digest/digest-worker.ts';
import { SharedRing } from '../../formats/node/digest/shared-ring.ts';
import type { WithPlaces } from '../places.ts';
import { isHole } from '../sparse-batches.ts';
import type { StoredBytes } from '../stored-bytes.ts';
import { type ImageReader, openStored } from '../stored-image.ts';
import type { StepTools } from './step.ts';

/** What is computed in one pass over stored bytes, and under which name its progress is told. */
interface Pass {
  readonly phase: 'hash' | 'signature';
  readonly algorithms: readonly string[];
  readonly check?: SignatureCheck;
}

/**
 * One pass over a stored image: its digests by algorithm, each on a thread of its own, and `valid` or `invalid` as `signature` where one
 * is checked. Reading counts as life of the task.
 * @throws StepTooLong; as the reader of stored images
 */
export async function digestsOf(
  deps: ReportDeps & WithPlaces,
  task: ImportTask,
  tools: Pick<StepTools, 'assertFits'>,
  stored: StoredBytes,
  { phase, algorithms, check }: Pass,
): Promise<Readonly<Record<string, string>>> {
  const reader = await openStored(deps.places, stored);
  tools.assertFits(phase, reader.size);
  const report = reporter(deps, task, phase, 0, reader.size);
  const digester = createDigester(algorithms, check);
  const ring = new SharedRing(digester);
  try {
    await readThrough(reader, ring, report);
    const digests = await ring.digest();
    await report.end();
    return digests;
  } finally {
    digester.close();
  }
}

/** Hands every byte to the digester, holes as numbers. */
async function readThrough(reader: ImageReader, ring: SharedRing, report: Reporter): Promise<void> {
  for await (const batch of reader.batches(0, reader.size)) {
    for (const chunk of batch) await (isHole(chunk) ? ring.writeZeros(chunk.length) : ring.write(chunk));
    await report.add(batch.reduce((sum, chunk) => sum + chunk.length, 0));
  }
}
