import { fetchSource } from '../../bytes/imports/fetch.ts';
import { createWeb } from '../../web/web.ts';
import { byteStep } from './step.ts';
import { assertFits } from './too-long.ts';

/** Fetch: the bytes to import are in a bucket of ours. */
export const handler = byteStep((deps, task, _event, guard) =>
  fetchSource(deps, task, { guard, assertFits }, createWeb(deps.config)),
);
