import { inspectSource } from '../../bytes/imports/inspect.ts';
import { byteStep } from './step.ts';

/** Inspect: the engine looks at the bytes as they arrived. */
export const handler = byteStep((deps, task) => inspectSource(deps, task.id));
