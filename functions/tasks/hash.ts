import { openStored } from '../../aws/s3/stored-image.ts';
import { ImageRefused } from '../../core/errors.ts';
import { reporter } from '../../core/tasks/report.ts';
import { hashed } from '../../core/tasks/settle.ts';
import { createDigester } from '../../formats/digest/digest.ts';
import { keepsContent } from './plan.ts';
import { byteStep } from './step.ts';

/**
 * Hash: md5 and os_hash of what a download returns, one pass over the rendered image, each algorithm on a thread of its own.
 * Bytes that are stored as they arrived and were hashed on the way are not read again.
 */
export const handler = byteStep(async (deps, task) => {
  const { rendered, sourceDigests } = task.facts;
  if (task.import.method.name === 'copy-image') return;
  if (task.facts.md5 !== undefined && task.facts.hash !== undefined)
    return hashed(deps, task, { md5: task.facts.md5, hash: task.facts.hash });
  const algorithm = deps.config.hashing_algorithm;
  if (sourceDigests !== undefined && sourceDigests.hash.algo === algorithm && keepsContent(task))
    return hashed(deps, task, sourceDigests);
  if (rendered === undefined) throw new ImageRefused(`Task ${task.id} has nothing to hash`);
  const reader = await openStored(deps.places, rendered);
  const report = reporter(deps, task, 'hash', 0, reader.size);
  const digester = createDigester(['md5', algorithm]);
  try {
    for await (const chunk of reader.stream(0, reader.size)) {
      await digester.update(chunk);
      await report.add(chunk.length);
    }
    const { md5 = '', [algorithm]: value = '' } = await digester.digest();
    await report.end();
    await hashed(deps, task, { md5, hash: { algo: algorithm, value } });
  } finally {
    digester.close();
  }
});
