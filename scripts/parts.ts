/** The product's own parts in this process; imported only once the environment is set. */
import { existsSync } from 'node:fs';
import { bootstrapIdentity } from '../core/identity/bootstrap.ts';
import { TASK_DUTY_MS } from '../core/imports/report/task-duty.ts';
import { janitor } from '../core/janitor/janitor.ts';
import { seedCatalog } from '../core/metadefs/seed.ts';
import { createIdentityApi } from '../functions/api/identity/api.ts';
import { createImagesApi } from '../functions/api/images/api.ts';
import { createMetadefsApi } from '../functions/api/metadefs/api.ts';
import { createGateway } from '../gateway/server.ts';
import { gatewayOptions } from '../gateway/settings.ts';
import { httpApi } from '../local/http-api/http-api.ts';
import { type IdentityDeps, identityDeps } from '../service/identity-deps.ts';
import { createAdmission } from './admission.ts';
import { standardCatalog } from './catalog.ts';
import { lostBytes } from './emulator/lost-bytes.ts';
import type { Doors } from './front-door.ts';
import type { Secrets } from './secrets.ts';

/** Builds handlers and gateway, and makes the accounts, unless they are those of an existing Keystone. */
export async function openParts(secrets: Secrets): Promise<Doors> {
  const deps = await identityDeps();
  if (deps.identity !== undefined)
    await bootstrapIdentity(deps.identity, { passwords: secrets.passwords, origin: 'random' });
  return doorsOf(deps);
}

function doorsOf(deps: IdentityDeps): Doors {
  const admitted = createAdmission();
  const imagesApi = createImagesApi(deps, {
    authenticator: deps.authenticator,
    disabled: disabledBy(deps.config.disable_by_file_path),
  });
  const images = httpApi({ handler: admitted(imagesApi) });
  const metadefs = httpApi({ handler: admitted(createMetadefsApi(deps, deps)) });
  const identity = httpApi({ handler: admitted(createIdentityApi(deps)) });
  return {
    images: (request, response) => void images(request, response),
    identity: (request, response) => void identity(request, response),
    metadefs: (request, response) => void metadefs(request, response),
    gateway: createGateway(deps, gatewayOptions(process.env)),
  };
}

/** The health check's reason while the operator's file exists (contract: README, health check). */
function disabledBy(path: string): () => string | undefined {
  return () => (existsSync(path) ? 'DISABLED BY FILE' : undefined);
}

/** Nothing of before this start still works, so what it left half-done is settled at once, not after its grace. */
export async function recover(): Promise<void> {
  await janitor(await identityDeps(), TASK_DUTY_MS);
}

/** Whose bytes went with the buckets that are new, in one sentence. */
export async function lostWith(newBuckets: readonly string[]): Promise<string | undefined> {
  const { imageList, config } = await identityDeps();
  return lostBytes(imageList, config, newBuckets);
}

/** Loads the standard catalog behind the first requests; what fails is logged and tried again by the next start. */
export async function seed(): Promise<void> {
  const deps = await identityDeps();
  try {
    await seedCatalog(deps, standardCatalog);
  } catch (error) {
    deps.log.error('the standard metadata definitions could not be loaded', { cause: String(error) });
  }
}
