import type { WithClock } from '../../core/clock.ts';
import type { WithConfig } from '../../core/config.ts';
import type { WithDuties } from '../../core/duties/duty.ts';
import { ImageRefused } from '../../core/errors.ts';
import type { WithImages } from '../../core/images/repository.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import type { WithLog } from '../../core/log.ts';
import { checkOf } from '../../core/signatures/expected.ts';
import { NOT_OF_THESE_BYTES, refusedSignature } from '../../core/signatures/refused.ts';
import type { WithTasks } from '../../core/tasks/repository.ts';
import type { WithPlaces } from '../places.ts';
import { digestsOf } from './digests-of.ts';
import type { StepTools } from './step.ts';

type VerifyDeps = WithConfig & WithClock & WithImages & WithTasks & WithDuties & WithLog & WithPlaces;

/**
 * VerifySignature: the bytes as they arrived, before any plugin, are signed as the task expects. They are hashed in the same pass
 * where nobody hashed them on the way. Once they are verified there is nothing to do.
 * @throws ImageRefused when they are not; StepTooLong; as the reader of stored images
 */
export async function verifySignature(
  deps: VerifyDeps,
  task: ImportTask,
  tools: Pick<StepTools, 'assertFits'>,
): Promise<void> {
  const { signature } = task.import;
  const { source, sourceDigests, isVerified } = task.facts;
  if (signature === undefined || isVerified === true) return;
  if (source === undefined) throw new ImageRefused(`Task ${task.id} has nothing to verify`);
  const { hashing_algorithm: algorithm } = deps.config;
  const algorithms = sourceDigests === undefined ? ['md5', algorithm] : [];
  const pass = { phase: 'signature', algorithms, check: checkOf(signature) } as const;
  const { signature: verdict, md5, [algorithm]: value } = await digestsOf(deps, task, tools, source, pass);
  if (verdict !== 'valid') throw new ImageRefused(refusedSignature(task.imageId, NOT_OF_THESE_BYTES));
  const isHashed = md5 !== undefined && value !== undefined;
  await deps.tasks.note(task.id, {
    isVerified: true,
    ...(isHashed ? { sourceDigests: { md5, hash: { algo: algorithm, value } } } : {}),
  });
}
