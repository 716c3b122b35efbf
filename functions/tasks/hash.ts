import { hashRendered } from '../../bytes/imports/hash.ts';
import { byteStep } from './step.ts';
import { assertFits } from './too-long.ts';

/** Hash: md5 and os_hash of what a download returns. */
export const handler = byteStep((deps, task) => hashRendered(deps, task, { assertFits }));
