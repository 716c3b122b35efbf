/** Images that nobody ever gave bytes: `queued` for long, with nothing staged and nobody at work on them. */
import type { WithClock } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import type { Duty, WithDuties } from '../duties/duty.ts';
import { Conflict, InvalidInput, NotFound, StaleRevision } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import type { WithLog } from '../log.ts';
import type { WithPolicy } from '../policy/port.ts';
import { enforceFor } from './access.ts';
import { removeImage } from './delete.ts';
import type { Image } from './image.ts';
import type { WithImageList, WithImages } from './repository.ts';

const HOUR_MS = 3_600_000;
/** Shown as left over where no lifetime is configured. Hours. */
const DEFAULT_HOURS = 24;
const PAGE = 100;
/** Of one sweep; the next one goes on. */
const MOST_REMOVED = 2_000;

export interface LeftOverRequest {
  /** Left over for so long; default: the lifetime that is configured, else a day. */
  readonly hours?: number;
  readonly limit: number;
  readonly markerId?: string;
}

interface LeftOverPage {
  readonly images: readonly Image[];
  /** Id after which the next page starts; absent when there is none. A page may have fewer images than were asked for. */
  readonly next?: string;
}

type ListDeps = WithClock & WithImages & WithImageList;

/** For administrators: of every project, the oldest first. @throws Forbidden; InvalidInput for an unknown marker */
export async function listLeftOver(
  deps: ListDeps & WithConfig & WithPolicy,
  caller: Caller,
  { hours = deps.config.queued_image_ttl || DEFAULT_HOURS, limit, markerId }: LeftOverRequest,
): Promise<LeftOverPage> {
  await enforceFor(deps, 'glimpse:get_leftovers', {}, caller);
  const marker = markerId === undefined ? undefined : await deps.images.get(markerId);
  if (markerId !== undefined && marker === undefined)
    throw new InvalidInput(`Marker ${markerId} does not name an image`);
  return page(deps, hours, limit, marker);
}

async function page(
  { clock, imageList }: WithClock & WithImageList,
  hours: number,
  limit: number,
  marker: Image | undefined,
): Promise<LeftOverPage & { readonly last?: Image }> {
  const before = new Date(clock.now() - hours * HOUR_MS).toISOString().slice(0, 19);
  const { images, more } = await imageList.page({
    ...{ project: null, isAdmin: true, visibility: 'all', memberStatus: 'all', limit },
    filters: [
      { kind: 'equal', attribute: 'status', values: ['queued'] },
      { kind: 'compare', attribute: 'updatedAt', operator: 'lt', value: before },
    ],
    sort: [
      { key: 'createdAt', direction: 'asc' },
      { key: 'id', direction: 'asc' },
    ],
    ...(marker === undefined ? {} : { marker }),
  });
  const last = images.at(-1);
  return { images: images.filter(isLeftOver), ...(more && last !== undefined && { next: last.id, last }) };
}

const isLeftOver = ({ staged, lock, locations, protected: isProtected }: Image): boolean =>
  staged === null && lock === null && locations.length === 0 && !isProtected;

type SweepDeps = ListDeps & WithConfig & WithDuties & WithLog;

const DUTY: Omit<Duty, 'dueAtMs'> = { id: 'queued-images', kind: 'queued', imageId: '' };

/** Has the janitor look for what is left over, once an hour from now on, where a lifetime is configured. Repeatable. */
export async function watchLeftOver({ config, clock, duties }: WithConfig & WithClock & WithDuties): Promise<void> {
  if (config.queued_image_ttl > 0) await duties.postpone({ ...DUTY, dueAtMs: clock.now() }, 0);
}

/** What the due `queued` duty asks: images left over for longer than `queued_image_ttl` go. */
export async function sweepLeftOver(deps: SweepDeps, duty: Duty): Promise<void> {
  const { queued_image_ttl: hours } = deps.config;
  if (hours === 0) return deps.duties.remove(duty.id);
  let marker: Image | undefined;
  for (let looked = 0; looked < MOST_REMOVED; looked += PAGE) {
    const { images, last } = await page(deps, hours, PAGE, marker);
    for (const image of images) await remove(deps, image, hours);
    if (last === undefined) break;
    marker = last;
  }
  await deps.duties.put({ ...duty, dueAtMs: deps.clock.now() + HOUR_MS });
}

/** Unless it changed since it was listed. */
async function remove(deps: SweepDeps, image: Image, hours: number): Promise<void> {
  const { id, owner, revision } = image;
  try {
    await removeImage(deps, image, { revision, status: ['queued'], lock: null });
    deps.log.info('image removed: it stayed queued', { image: id, owner, hours });
  } catch (error) {
    if (![Conflict, NotFound, StaleRevision].some((kind) => error instanceof kind)) throw error;
  }
}
