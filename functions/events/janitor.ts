import { serviceDeps } from '../../aws/deps.ts';
import { janitor } from '../../core/tasks/janitor.ts';

/** Scheduled: settles every due duty. */
export const handler = async (): Promise<unknown> => janitor(await serviceDeps());
