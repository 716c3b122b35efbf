import { apiDeps } from '../../service/api-deps.ts';
import { lazily } from './lazily.ts';
import { createMetadefsApi } from './metadefs/api.ts';

/** The catalog's routes, as a Lambda function behind the HTTP API. */
export const handler = lazily(async () => {
  const deps = await apiDeps();
  return createMetadefsApi(deps, { authenticator: deps.authenticator });
});
