import { observed } from '../../aws/telemetry.ts';
import { janitor } from '../../core/janitor/janitor.ts';
import { serviceDeps } from '../../service/deps.ts';

/** Scheduled: settles every due duty. */
export const handler = observed(async (): Promise<unknown> => janitor(await serviceDeps()));
