import { serviceDeps } from '../../aws/deps.ts';
import { observed } from '../../aws/telemetry.ts';
import { janitor } from '../../core/tasks/janitor.ts';

/** Scheduled: settles every due duty. */
export const handler = observed(async (): Promise<unknown> => janitor(await serviceDeps()));
