/** The image routes (group `images` of api/routes.ts) as one entry point, built from the dependencies of a process. */
import { type GroupOperations, ROUTES } from '../../api/routes.ts';
import type { Config } from '../../core/config.ts';
import type { Deps } from '../../core/deps.ts';
import type { Authenticator } from '../../core/identity/authenticator.ts';
import { type ApiHandler, createApiHandler, type ResponseHeaders } from './chain.ts';
import { imageOperations } from './operations/images.ts';
import { infoOperations } from './operations/info.ts';
import { memberOperations } from './operations/members.ts';
import { taskOperations } from './operations/tasks.ts';

export interface ImagesApiOptions {
  readonly authenticator: Authenticator;
  /** Why this service takes no requests, if so: shown by the health check. */
  readonly disabled?: () => string | undefined;
}

type ImagesOperation = GroupOperations<'images'>;

/** Builds the handler of payload-v2 events. Stateless: any number may run side by side. */
export function createImagesApi(deps: Deps, { authenticator, disabled }: ImagesApiOptions): ApiHandler {
  const { config, newId, log } = deps;
  const operations = {
    ...imageOperations(deps),
    ...memberOperations(deps),
    ...infoOperations(deps),
    ...taskOperations(deps),
  };
  return createApiHandler<ImagesOperation>({
    routes: ROUTES,
    handlers: operations,
    responseHeaders: responseHeaders(config),
    config,
    authenticator,
    newId,
    log,
    ...(disabled !== undefined && { disabled }),
  });
}

function responseHeaders(config: Config): Partial<Record<ImagesOperation, ResponseHeaders>> {
  const methods = config.enabled_import_methods.join(',');
  const stores = config.stores.map((store) => store.id).join(',');
  const location = (value: unknown, baseUrl: string) => `${baseUrl}${(value as { readonly self: string }).self}`;
  return {
    createImage: (value, { baseUrl }) => ({
      location: location(value, baseUrl),
      ...(methods !== '' && { 'openstack-image-import-methods': methods }),
      'openstack-image-store-ids': stores,
    }),
    createTask: (value, { baseUrl }) => ({ location: location(value, baseUrl) }),
  };
}
