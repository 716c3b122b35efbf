import { type ImageReader, openStored } from '../../aws/s3/stored-image.ts';
import { ImageRefused } from '../../core/errors.ts';
import { type ImportTask, type Reporter, reporter } from '../../core/tasks/report.ts';
import { hashed } from '../../core/tasks/settle.ts';
import { createDigester } from '../../formats/digest/digest.ts';
import { SharedRing } from '../../formats/digest/shared-ring.ts';
import { keepsContent } from './plan.ts';
import { byteStep } from './step.ts';
import { assertFits } from './too-long.ts';

/**
 * Hash: md5 and os_hash of what a download returns, one pass over the rendered image, each algorithm on a thread of its own.
 * Bytes that are stored as they arrived and were hashed on the way are not read again. Of a location that a client brought, the
 * algorithm is that of the hash that came with it, and the bytes must have it.
 */
export const handler = byteStep(async (deps, task) => {
  const { rendered, sourceDigests } = task.facts;
  if (!isHashed(task)) return;
  if (task.facts.md5 !== undefined && task.facts.hash !== undefined)
    return hashed(deps, task, { md5: task.facts.md5, hash: task.facts.hash });
  const { method } = task.import;
  const expected = method.name === 'location' ? method.expected : undefined;
  const algorithm = expected?.algo ?? deps.config.hashing_algorithm;
  if (sourceDigests !== undefined && sourceDigests.hash.algo === algorithm && keepsContent(task))
    return hashed(deps, task, sourceDigests);
  if (rendered === undefined) throw new ImageRefused(`Task ${task.id} has nothing to hash`);
  const reader = await openStored(deps.places, rendered);
  assertFits('hash', reader.size);
  const report = reporter(deps, task, 'hash', 0, reader.size);
  const digester = createDigester(['md5', algorithm]);
  const ring = new SharedRing(digester);
  try {
    for await (const span of spans(reader)) {
      if (span.zero) await hashHole(span, ring, report);
      else await hashData(reader, span, ring, report);
    }
    const { md5 = '', [algorithm]: value = '' } = await ring.digest();
    await report.end();
    if (value !== (expected?.value ?? value))
      throw new ImageRefused(`The ${algorithm} of the location is ${value}, os_hash_value says ${expected?.value}`);
    await hashed(deps, task, { md5, hash: { algo: algorithm, value } });
  } finally {
    digester.close();
  }
});

/** A further copy has the image's hashes already; those of a location are taken on trust where the configuration says so. */
function isHashed({ import: { method } }: ImportTask): boolean {
  return method.name !== 'copy-image' && (method.name !== 'location' || method.hash);
}

interface Span {
  readonly start: number;
  readonly length: number;
  readonly zero: boolean;
}

/** Holes below this are passed over by the reader, whose requests run ahead: beginning anew behind a hole costs more than its zeros. */
const HOLE_BYTES = 64 * 1024 * 1024;
/** A hole may be terabytes: progress is told on the way. */
const HOLE_STEP = 256 * 1024 * 1024;

/** The image as long holes and what lies between them. */
async function* spans(reader: ImageReader): AsyncGenerator<Span> {
  let start = 0;
  for await (const extent of reader.extents(0, reader.size)) {
    if (!extent.zero || extent.length < HOLE_BYTES) continue;
    if (extent.start > start) yield { start, length: extent.start - start, zero: false };
    yield { start: extent.start, length: extent.length, zero: true };
    start = extent.start + extent.length;
  }
  if (start < reader.size) yield { start, length: reader.size - start, zero: false };
}

async function hashData(
  reader: ImageReader,
  { start, length }: Span,
  ring: SharedRing,
  report: Reporter,
): Promise<void> {
  for await (const batch of reader.batches(start, start + length)) {
    for (const chunk of batch) await ring.write(chunk);
    await report.add(batch.reduce((sum, chunk) => sum + chunk.length, 0));
  }
}

async function hashHole({ length }: Span, ring: SharedRing, report: Reporter): Promise<void> {
  for (let left = length; left > 0; left -= HOLE_STEP) {
    const step = Math.min(left, HOLE_STEP);
    await ring.writeZeros(step);
    await report.add(step);
  }
}
