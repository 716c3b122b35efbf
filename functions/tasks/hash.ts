import { hashRendered } from '../../bytes/imports/hash.ts';
import { byteStep } from './step.ts';

/** Hash: md5 and os_hash of what a download returns. */
export const handler = byteStep((deps, task, _event, tools) => hashRendered(deps, task, tools));
