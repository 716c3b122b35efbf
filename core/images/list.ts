import type { WithConfig } from '../config.ts';
import { Forbidden, InvalidInput } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import type { WithMembers } from '../members/repository.ts';
import type { WithPolicy, WithProtections } from '../policy/port.ts';
import { enforceFor, imageTarget, seenBy } from './access.ts';
import { asId, isImageId } from './ids.ts';
import type { Image } from './image.ts';
import { mayReadProperty } from './properties.ts';
import type { Filter, ImageQuery } from './query.ts';
import type { WithImageList, WithImages } from './repository.ts';

type ListDeps = WithConfig & WithImages & WithMembers & WithImageList & WithPolicy & WithProtections;

/** What a client asks, as far as it is not in its token. `markerId` is the last image of the page before. */
export type ListRequest = Omit<ImageQuery, 'project' | 'isAdmin' | 'marker'> & { readonly markerId?: string };

export interface ImagePage {
  readonly images: readonly Image[];
  /** Id after which the next page starts; absent when there is none. */
  readonly next?: string;
}

/**
 * A page of the images that a caller's list shows. Rows that `get_image` denies are dropped silently.
 * @throws Forbidden by policy or for an invisible marker; InvalidInput for an unknown marker
 */
export async function listImages(deps: ListDeps, caller: Caller, request: ListRequest): Promise<ImagePage> {
  await enforceFor(deps, 'get_images', { project_id: caller.projectId, owner: caller.projectId }, caller);
  const { markerId, ...rest } = request;
  const marker = markerId === undefined ? undefined : await markerImage(deps, caller, markerId);
  if (await asksForHidden(deps, caller, request.filters)) return { images: [] };
  const page = await deps.imageList.page({
    ...rest,
    filters: request.filters.map(withIds),
    project: caller.projectId,
    isAdmin: caller.isAdmin,
    ...(marker !== undefined && { marker }),
  });
  const last = page.images.at(-1);
  const allowed = await Promise.all(
    page.images.map((image) =>
      deps.policy.allows('get_image', imageTarget({ image, memberId: memberIdOf(image, caller) }), caller),
    ),
  );
  return {
    images: page.images.filter((_, at) => allowed[at]),
    ...(page.more && last !== undefined && { next: last.id }),
  };
}

/** Values that a caller may not read are not found out by filters either: such a filter matches nothing. */
async function asksForHidden(deps: ListDeps, caller: Caller, filters: readonly Filter[]): Promise<boolean> {
  const keys = new Set(filters.flatMap((filter) => (filter.kind === 'property' ? [filter.key] : [])));
  const readable = await Promise.all([...keys].map((key) => mayReadProperty(deps, caller, key)));
  return readable.includes(false);
}

function withIds(filter: Filter): Filter {
  if (filter.kind !== 'equal' || filter.attribute !== 'id') return filter;
  return { ...filter, values: filter.values.map((value) => asId(String(value))) };
}

/** A shared image in somebody else's list came by membership. */
function memberIdOf(image: Image, caller: Caller): string | null {
  return image.visibility === 'shared' && image.owner !== caller.projectId ? caller.projectId : null;
}

async function markerImage(deps: ListDeps, caller: Caller, id: string): Promise<Image> {
  const image = isImageId(id) ? await deps.images.get(asId(id)) : undefined;
  if (image === undefined) throw new InvalidInput(`Marker ${id} does not name an image`);
  if ((await seenBy(deps, caller, image)) === undefined)
    throw new Forbidden(`Marker ${id} names an image that you may not see`);
  return image;
}
