import type { WithDirect } from '../../bytes/direct-port.ts';
import type { SignedRequest } from '../../bytes/store.ts';
import type { StoredBytes } from '../../bytes/stored-bytes.ts';
import { Conflict, ImageServiceError } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import type { WithLog } from '../log.ts';
import { type DownloadDeps, planDownload } from './download.ts';
import type { Image } from './image.ts';

/** A request that reads an image's bytes without a token. */
export interface Link {
  readonly image: Image;
  readonly request: SignedRequest;
}

/** What deactivation cannot take back: no longer. Seconds. */
const LINK_SECONDS = 60;

/**
 * A link to the best copy of an image that is one object: who may download it may hand its bytes on for a minute.
 * @throws as `planDownload`; Conflict when it has no bytes, or only in many objects; BackendUnavailable
 */
export async function createLink(
  deps: DownloadDeps & WithDirect & WithLog,
  caller: Caller,
  imageId: string,
): Promise<Link> {
  const { image, copies } = await planDownload(deps, caller, imageId, undefined);
  if (copies.length === 0) throw new Conflict(`Image ${image.id} has no data: it is ${image.status}`);
  const plain = copies.filter(({ layout }) => layout === 'plain');
  if (plain.length === 0) throw packed(image, copies);
  return { image, request: await firstOf(deps, image, plain) };
}

function packed({ id }: Image, copies: readonly StoredBytes[]): Conflict {
  const stores = [...new Set(copies.map(({ place }) => place))].join(', ');
  return new Conflict(
    `Image ${id} is stored packed (sparse) in ${stores}, in many objects, and a link leads to one: download it by GET /v2/images/${id}/file, or copy it to a store with sparse: false`,
  );
}

async function firstOf(
  { direct, log }: WithDirect & WithLog,
  image: Image,
  copies: readonly StoredBytes[],
): Promise<SignedRequest> {
  let failure: ImageServiceError | undefined;
  for (const copy of copies) {
    try {
      const request = await direct.signRead(copy, LINK_SECONDS);
      if (request !== undefined) return request;
    } catch (error) {
      if (!(error instanceof ImageServiceError)) throw error;
      failure = error;
      log.warn('a copy cannot be linked to', { image: image.id, place: copy.place, cause: String(error) });
    }
  }
  throw failure ?? new Conflict(`Image ${image.id} has no copy that a link can lead to`);
}
