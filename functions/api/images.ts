import { apiDeps } from '../../service/api-deps.ts';
import { createImagesApi } from './images/api.ts';
import { lazily } from './lazily.ts';

/** The image routes, versions, health check and CORS, as a Lambda function behind the HTTP API. */
export const handler = lazily(async () => {
  const deps = await apiDeps();
  return createImagesApi(deps, { authenticator: deps.authenticator });
});
