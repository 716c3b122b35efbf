/** The image routes (group `images` of api/routes.ts) as one entry point, built from the dependencies of a process. */
import type { GroupOperations } from '../../../api/routes.ts';
import type { Deps } from '../../../core/deps.ts';
import type { Authenticator } from '../../../core/identity/authenticator.ts';
import type { ApiHandler } from '../chain.ts';
import { createImageService } from '../image-service.ts';
import { imageOperations } from './images.ts';
import { importOperations } from './imports.ts';
import { infoOperations } from './info.ts';
import { memberOperations } from './members.ts';
import { taskOperations } from './tasks.ts';
import { uploadOperations } from './uploads.ts';

export interface ImagesApiOptions {
  readonly authenticator: Authenticator;
  /** Why this service takes no requests, if so: shown by the health check. */
  readonly disabled?: () => string | undefined;
}

/** Builds the handler of payload-v2 events. Stateless: any number may run side by side. */
export function createImagesApi(deps: Deps, { authenticator, disabled }: ImagesApiOptions): ApiHandler {
  const { config, newId, log } = deps;
  return createImageService<GroupOperations<'images'>>({
    handlers: {
      ...imageOperations(deps),
      ...memberOperations(deps),
      ...infoOperations(deps),
      ...taskOperations(deps),
      ...importOperations(deps),
      ...uploadOperations(deps),
    },
    config,
    authenticator,
    newId,
    log,
    disabled,
  });
}
