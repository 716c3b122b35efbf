/**
 * What a cancelled import leaves for a retry of it: the bytes that a client had staged or dropped, and the whole URL of a web-download.
 * It is there for an hour, for nobody else, and goes sooner with its image or when other bytes take its place.
 */
import type { WithBytes } from '../../bytes/bytes-port.ts';
import { stagedPrefix } from '../../bytes/keys.ts';
import type { WithClock } from '../clock.ts';
import type { Duty, WithDuties } from '../duties/duty.ts';
import type { Image, StagedData } from '../images/image.ts';
import type { WithImages } from '../images/repository.ts';
import { sweepPlaces } from '../images/retire-write.ts';
import { stagedWrite } from '../images/staged.ts';
import { mayMove } from '../images/status.ts';
import type { WithLog } from '../log.ts';
import type { WithTasks } from '../tasks/repository.ts';
import type { WithSourceSecrets } from '../tasks/source-secrets.ts';
import type { Task } from '../tasks/task.ts';
import { sourceSecretKey } from './forget-source-secret.ts';
import type { ImportTask } from './report/import-task.ts';

const KEPT_MS = 60 * 60_000;
/** While the image is being worked on, perhaps by a retry. */
const AGAIN_MS = 60_000;

/**
 * Until when a task may be tried again, in milliseconds; undefined: it was not cancelled, or the token that its bytes need was forgotten
 * when it ended.
 */
export function retryableUntilMs(task: Pick<Task, 'status' | 'cancelledAt' | 'import'>): number | undefined {
  const { status, cancelledAt } = task;
  return status !== 'failure' || cancelledAt === undefined || needsToken(task) ? undefined : keptUntilMs(cancelledAt);
}

/** Its bytes come with a token of who asked, which no import keeps. */
export const needsToken = (task: Pick<Task, 'import'>): boolean => task.import?.method.name === 'glance-download';

const keptUntilMs = (cancelledAt: string): number => Date.parse(cancelledAt) + KEPT_MS;

/** The staged bytes that stay with an image whose import is cancelled; null when there are none, or the image is active. */
export function keptStage(task: ImportTask, image: Image): StagedData | null {
  if (task.cancelledAt === undefined || !mayMove(image.status, 'queued')) return null;
  const staged = image.staged ?? takenDrop(task);
  return staged === null ? null : { ...staged, kept: { taskId: task.id } };
}

/** A dropped file that the import has taken: nobody has it any more. */
function takenDrop({ id, imageId, import: { method }, facts }: ImportTask): StagedData | null {
  const source = facts.packed ?? facts.source;
  if (method.name !== 'drop' || source?.prefix !== stagedPrefix(imageId, id)) return null;
  return { writeId: id, layout: source.layout, size: source.size };
}

/** What ends the keeping; written before anything is kept. */
export function keptDuty(task: ImportTask, cancelledAt: string, staged: StagedData | null): Duty {
  return {
    id: `kept:${task.id}`,
    kind: 'kept',
    imageId: task.imageId,
    writeId: task.id,
    places: staged === null ? [] : stagedWrite(task.imageId, staged).places,
    dueAtMs: keptUntilMs(cancelledAt),
  };
}

type KeptDeps = WithClock & WithImages & WithTasks & WithSourceSecrets & WithDuties & WithBytes & WithLog;

/**
 * What a due `kept` duty asks: the hour is over. What is kept by a later cancellation, of a retry, is that one's.
 * @throws StaleRevision, Conflict when the image changed between look and write
 */
export async function settleKept(deps: KeptDeps, duty: Duty): Promise<void> {
  const { imageId, writeId: taskId = '', places = [] } = duty;
  const image = await deps.images.get(imageId);
  if (image !== undefined && image.lock !== null)
    return deps.duties.put({ ...duty, dueAtMs: deps.clock.now() + AGAIN_MS });
  const isOurs = image?.staged?.kept?.taskId === taskId;
  if (isOurs)
    await deps.images.change(imageId, { expect: { lock: null, revision: image.revision }, set: { staged: null } });
  await forgetKeptUrl(deps, imageId, taskId);
  const used = isOurs || !image?.staged ? undefined : stagedPrefix(imageId, image.staged.writeId);
  await sweepPlaces(deps, { ...duty, places: places.filter(({ prefix }) => prefix !== used) }, false);
}

async function forgetKeptUrl(deps: KeptDeps, imageId: string, taskId: string): Promise<void> {
  const tasks = await deps.tasks.listByImage(imageId);
  const key = sourceSecretKey(tasks.find(({ id }) => id === taskId));
  if (key === undefined) return;
  const isKept = (task: Task) => (retryableUntilMs(task) ?? 0) > deps.clock.now();
  if (tasks.some((task) => sourceSecretKey(task) === key && isKept(task))) return;
  await deps.sourceSecrets.forget(key);
}
