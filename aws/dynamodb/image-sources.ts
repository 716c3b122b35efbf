/**
 * Which partitions hold the images that a caller's list may show (contract: README.md "Which images are in the candidate
 * set"). Each source is one partition of the owner or visibility indexes, or the caller's memberships with one status.
 */
import { VISIBILITIES, type Visibility } from '../../core/images/image.ts';
import type { Filter, ImageQuery } from '../../core/images/query.ts';
import { MEMBER_STATUSES } from '../../core/members/member.ts';
import { memberPartition, ownerPartition, visibilityPartition } from './keys.ts';

export type Source =
  | {
      readonly kind: 'owner' | 'visibility';
      readonly partition: string;
      /** What an image of this partition must meet besides the query's own filters. */
      readonly filters: readonly Filter[];
    }
  | {
      readonly kind: 'member';
      readonly project: string;
      readonly partition: string;
      readonly filters: readonly Filter[];
    };

export function sourcesOf(query: ImageQuery, shards: number): Source[] {
  const owner = singleOwner(query.filters);
  const byVisibility = (visibility: Visibility): Source[] =>
    owner === undefined
      ? Array.from({ length: shards }, (_, shard) => ({
          kind: 'visibility',
          partition: visibilityPartition(visibility, shard),
          filters: [],
        }))
      : [owned(owner, [visibility])];
  const sources = query.isAdmin ? adminSources(query, byVisibility) : projectSources(query, byVisibility);
  return owner === undefined ? sources : merged(sources);
}

function adminSources(query: ImageQuery, byVisibility: (visibility: Visibility) => Source[]): Source[] {
  const { visibility, project } = query;
  if (visibility === 'all') return VISIBILITIES.flatMap(byVisibility);
  if (visibility !== undefined) return byVisibility(visibility);
  const others = VISIBILITIES.filter((each) => each !== 'community').flatMap(byVisibility);
  return project === null ? others : [...others, owned(project, ['community'])];
}

function projectSources(query: ImageQuery, byVisibility: (visibility: Visibility) => Source[]): Source[] {
  const { visibility, project } = query;
  const open = OPEN[visibility ?? 'default'].flatMap(byVisibility);
  if (project === null) return open;
  if (visibility === 'public' || visibility === 'community') return open;
  const own = owned(project, visibility === undefined || visibility === 'all' ? undefined : [visibility]);
  if (visibility === 'private') return [own];
  const statuses = query.memberStatus === 'all' ? MEMBER_STATUSES : [query.memberStatus];
  const shared = statuses.map(
    (status): Source => ({
      kind: 'member',
      project,
      partition: memberPartition(project, status),
      filters: [{ kind: 'equal', attribute: 'visibility', values: ['shared'] }],
    }),
  );
  return [...open, own, ...shared];
}

/** Visibilities that everybody's list takes from the whole catalogue. */
const OPEN: Readonly<Record<Visibility | 'all' | 'default', readonly Visibility[]>> = {
  default: ['public'],
  all: ['public', 'community'],
  public: ['public'],
  community: ['community'],
  private: [],
  shared: [],
};

function owned(project: string, visibilities: readonly Visibility[] | undefined): Source {
  const filters: Filter[] =
    visibilities === undefined ? [] : [{ kind: 'equal', attribute: 'visibility', values: visibilities }];
  return { kind: 'owner', partition: ownerPartition(project), filters };
}

/** With one owner asked for, several sources may name its partition: they become one, with all their visibilities. */
function merged(sources: readonly Source[]): Source[] {
  const owners = sources.filter((source) => source.kind === 'owner');
  const partitions = [...new Set(owners.map((source) => source.partition))];
  const joined = partitions.map((partition): Source => {
    const same = owners.filter((source) => source.partition === partition);
    if (same.some((source) => source.filters.length === 0)) return { kind: 'owner', partition, filters: [] };
    const values = same.flatMap((source) => source.filters.flatMap((f) => (f.kind === 'equal' ? f.values : [])));
    return { kind: 'owner', partition, filters: [{ kind: 'equal', attribute: 'visibility', values }] };
  });
  return [...joined, ...sources.filter((source) => source.kind !== 'owner')];
}

/** The one owner that the filters ask for. */
function singleOwner(filters: readonly Filter[]): string | undefined {
  const found = filters.find((filter) => filter.kind === 'equal' && filter.attribute === 'owner');
  return found?.kind === 'equal' && found.values.length === 1 ? String(found.values[0]) : undefined;
}
