import type { WithClock } from '../../core/clock.ts';
import type { WithConfig } from '../../core/config.ts';
import type { WithDuties } from '../../core/duties/duty.ts';
import { ImageRefused } from '../../core/errors.ts';
import type { WithImages } from '../../core/images/repository.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import { hashed } from '../../core/imports/settle.ts';
import type { WithLog } from '../../core/log.ts';
import type { WithTasks } from '../../core/tasks/repository.ts';
import type { WithPlaces } from '../places.ts';
import { keepsContent } from '../render/plan.ts';
import { openStored } from '../stored-image.ts';
import { digestsOf } from './digests-of.ts';
import type { StepTools } from './step.ts';
import { assertWhole } from './verify-whole.ts';

type HashDeps = WithConfig & WithClock & WithImages & WithTasks & WithDuties & WithLog & WithPlaces;

/**
 * Hash: md5 and os_hash of what a download returns, one pass over the rendered image, each algorithm on a thread of its own.
 * Bytes that are stored as they arrived and were hashed on the way are not read again, unless the content has digests of its own that
 * Inspect left out. Of a location that a client brought, the algorithm is that of the hash that came with it, and the bytes must have it.
 * @throws ImageRefused when there is nothing to hash or the hash is another; StepTooLong; as the reader of stored images
 */
export async function hashRendered(
  deps: HashDeps,
  task: ImportTask,
  tools: Pick<StepTools, 'assertFits'>,
): Promise<void> {
  const { rendered, sourceDigests } = task.facts;
  if (!isHashed(task)) return;
  if (task.facts.md5 !== undefined && task.facts.hash !== undefined)
    return hashed(deps, task, { md5: task.facts.md5, hash: task.facts.hash });
  const { source, format } = task.facts;
  if (source !== undefined) await assertWhole(deps, task, format, () => openStored(deps.places, source), tools);
  const { method } = task.import;
  const expected = method.name === 'location' ? method.expected : undefined;
  const algorithm = expected?.algo ?? deps.config.hashing_algorithm;
  if (sourceDigests !== undefined && sourceDigests.hash.algo === algorithm && keepsContent(task))
    return hashed(deps, task, sourceDigests);
  if (rendered === undefined) throw new ImageRefused(`Task ${task.id} has nothing to hash`);
  const pass = { phase: 'hash', algorithms: ['md5', algorithm] } as const;
  const { md5 = '', [algorithm]: value = '' } = await digestsOf(deps, task, tools, rendered, pass);
  if (value !== (expected?.value ?? value))
    throw new ImageRefused(`The ${algorithm} of the location is ${value}, os_hash_value says ${expected?.value}`);
  await hashed(deps, task, { md5, hash: { algo: algorithm, value } });
}

/** A further copy has the image's hashes already; those of a location are taken on trust where the configuration says so. */
function isHashed({ import: { method } }: ImportTask): boolean {
  return method.name !== 'copy-image' && (method.name !== 'location' || method.hash);
}
