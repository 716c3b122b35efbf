/**
 * The new way to manage locations (contract: images.md section 9.2): a service brings the URL of bytes that lie in a store
 * already. The image takes the location at once; hashing, where it is wanted, is the workflow's.
 *
 *     do_secure_hash, with a hash:     importing ── bytes hashed ──┬─ equal: active, with hashes
 *                                                                  └─ different: queued, without location
 *     do_secure_hash, without a hash:  active ──── hashed behind ──── hashes (a failure leaves it active without)
 *     otherwise:                       active, with the hash as given
 */

import type { WithClock, WithIds } from '../clock.ts';
import type { Config, WithConfig } from '../config.ts';
import type { WithDuties } from '../duties/duty.ts';
import { Conflict, Forbidden, InvalidInput, LimitExceeded } from '../errors.ts';
import type { WithWorkflows } from '../executions/workflow.ts';
import type { Caller } from '../identity/caller.ts';
import { enforce, seenImage } from '../images/access.ts';
import type { Image, Location } from '../images/image.ts';
import type { FoundLocation, WithLocations } from '../images/locations.ts';
import type { WithImageList, WithImages } from '../images/repository.ts';
import { lacksSignature, requiresSignatures } from '../images/signed.ts';
import { storedBytesOf } from '../images/stored-bytes.ts';
import type { WithLog } from '../log.ts';
import type { WithMembers } from '../members/repository.ts';
import type { WithPolicy } from '../policy/port.ts';
import type { WithLimits } from '../quota/limited-resources.ts';
import { enforceStorageQuota } from '../quota/limits.ts';
import type { WithUsage } from '../quota/usage.ts';
import { shownUri } from '../shown-url.ts';
import type { WithTasks } from '../tasks/repository.ts';
import type { WithSourceSecrets } from '../tasks/source-secrets.ts';
import { assertFree, startTask } from './start.ts';

export interface NewLocation {
  readonly url: string;
  /** Lower-case hex of the whole object. */
  readonly expected?: { readonly algo: string; readonly value: string };
}

type LocationDeps = WithConfig &
  WithClock &
  WithIds &
  WithImages &
  WithMembers &
  WithImageList &
  WithUsage &
  WithLimits &
  WithPolicy &
  WithLocations &
  WithTasks &
  WithSourceSecrets &
  WithDuties &
  WithWorkflows &
  WithLog;

/**
 * Gives a queued image its bytes by their URL; state is checked before policy, as the contract has it.
 * @throws NotFound, Conflict (status, lock), Forbidden, InvalidInput (formats, URL), LimitExceeded
 */
export async function addLocation(deps: LocationDeps, caller: Caller, id: string, input: NewLocation): Promise<void> {
  const seen = await seenImage(deps, caller, id);
  const { image } = seen;
  if (image.status !== 'queued')
    throw new Conflict(`It's not allowed to add locations if image status is ${image.status}.`);
  await enforce(deps, 'add_image_location', seen, caller);
  if (![...caller.roles, ...caller.serviceRoles].includes('service'))
    throw new Forbidden('Only a service may add the location of an image.');
  await assertFree(deps, image);
  const lack = lacksSignature(deps.config, { ...image, signature: null });
  if (lack !== undefined)
    throw new Conflict(`Image ${id} takes no location: ${lack}, and that of a location is not verified`);
  if (image.diskFormat === null || image.containerFormat === null)
    throw new InvalidInput('Properties disk_format, container_format must be set prior to saving data.');
  const found = await deps.locations.find(input.url);
  if (found === undefined) throw new InvalidInput(`Invalid location ${shownUri(input.url)}`);
  await checkLimits(deps, image, found);
  await take(deps, caller, image, locationAt(deps, input.url, found), input.expected);
}

async function checkLimits(deps: LocationDeps, image: Image, found: FoundLocation): Promise<void> {
  const { image_location_quota: quota, image_size_cap: cap } = deps.config;
  if (quota === 0) throw new LimitExceeded('The limit has been exceeded on the number of allowed image locations: 0');
  if (found.size > cap) throw new LimitExceeded(`Image of ${found.size} bytes is above image_size_cap of ${cap} bytes`);
  await enforceStorageQuota(deps, image.owner, found.size);
}

function locationAt({ clock }: WithClock, url: string, { store, size }: FoundLocation): Location {
  return { store, layout: 'plain', storedBytes: size, url, metadata: {}, addedAtMs: clock.now() };
}

async function take(
  deps: LocationDeps,
  caller: Caller,
  image: Image,
  location: Location,
  expected: NewLocation['expected'],
): Promise<void> {
  const { do_secure_hash: hash } = deps.config;
  const { url, store, storedBytes: size } = location;
  const rendered = storedBytesOf(deps.config, image, location);
  if (rendered === undefined) throw new InvalidInput(`Invalid location ${shownUri(url)}`);
  const method = { name: 'location', url, hash, ...(expected === undefined ? {} : { expected }) } as const;
  await startTask(
    deps,
    caller,
    image,
    {
      type: 'location_import',
      input: { image_id: image.id, loc_url: url, validation_data: wireHash(expected) },
      import: { method, stores: [store], allStoresMustSucceed: true, roles: caller.roles },
      facts: { rendered, ...(hash ? { work: { hash: size } } : {}) },
    },
    {
      set: { ...statusFor(deps.config, expected), size },
      addLocations: [location],
      // As it was when it was found to need no signature.
      ...(requiresSignatures(deps.config) && { expect: { revision: image.revision } }),
    },
  );
}

function statusFor(config: Pick<Config, 'do_secure_hash'>, expected: NewLocation['expected']) {
  if (config.do_secure_hash) return { status: expected === undefined ? 'active' : 'importing' } as const;
  return { status: 'active', hashAlgo: expected?.algo ?? null, hashValue: expected?.value ?? null } as const;
}

function wireHash(expected: NewLocation['expected']): Readonly<Record<string, string>> {
  return expected === undefined ? {} : { os_hash_algo: expected.algo, os_hash_value: expected.value };
}
