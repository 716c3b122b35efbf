import { janitor } from '../../core/janitor/janitor.ts';
import { eventHandler } from './event.ts';

/** Scheduled: settles every due duty. */
export const handler = eventHandler<unknown>((deps) => janitor(deps));
