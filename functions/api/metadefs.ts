import { apiDeps } from '../../aws/api-deps.ts';
import type { ApiHandler } from './chain.ts';
import { createMetadefsApi } from './metadefs-api.ts';

let built: Promise<ApiHandler> | undefined;

/** Lambda entry point of the catalog's routes. */
export const handler: ApiHandler = async (event, context) => {
  built ??= apiDeps().then((deps) => createMetadefsApi(deps, deps));
  return (await built)(event, context);
};
