import { identityDeps } from '../../service/identity-deps.ts';
import { createIdentityApi } from './identity/api.ts';
import { lazily } from './lazily.ts';

/** The embedded identity service, as a Lambda function behind the HTTP API. */
export const handler = lazily(async () => createIdentityApi(await identityDeps()));
