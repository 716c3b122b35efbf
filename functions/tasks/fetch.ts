import { fetchSource } from '../../bytes/imports/fetch.ts';
import { openDownload } from '../../web/download.ts';
import { byteStep } from './step.ts';

/** Fetch: the bytes to import are in a bucket of ours. */
export const handler = byteStep((deps, task, _event, tools) => fetchSource(deps, task, tools, openDownload));
