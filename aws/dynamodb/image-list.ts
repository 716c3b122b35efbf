/**
 * Pages of images (design section 4, "Listing a page costs the page"). The orders that stock clients ask for, by creation and
 * by name, have an index: a page is the merge of the caller's partitions, one query each. Any other order reads the visible
 * set and keeps only the best `limit` of it.
 */
import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Image } from '../../core/images/image.ts';
import { compareImages, type Filter, type ImageQuery, matches } from '../../core/images/query.ts';
import type { ImageListing } from '../../core/images/repository.ts';
import type { Member } from '../../core/members/member.ts';
import { Expression } from './expression.ts';
import { createFirstReads } from './first-reads.ts';
import { filterExpression } from './image-filters.ts';
import { imageOf, visibilityIndexKeys } from './image-item.ts';
import { type Source, sourcesOf } from './image-sources.ts';
import { projectUsage } from './image-usage.ts';
import { indexOf, keyCondition, type Walk, walkOf } from './image-walk.ts';
import { BATCH_GET_KEYS, imagesByIds } from './images-by-ids.ts';
import { memberKey, memberPartition, ownerPartition } from './keys.ts';
import { recentMemberKey } from './members.ts';
import { mergeOrdered, topOf } from './merge-ordered.ts';
import { withProgress } from './progress.ts';
import type { Table } from './table.ts';

export interface ImageListingOptions {
  /** As given to `createImageRepository`. Default 1. */
  readonly visibilityShards?: number;
}

/** A page of this many bytes, about, is full (design section 4; a Lambda may answer 6 MB). */
const PAGE_BYTES = 4 * 1024 * 1024;
/** A page is cut when so many rows were looked at for it and it holds something. */
const PAGE_ROWS = 20_000;
/** Rows of one query: as many as the page needs, more and more when filters throw most away. */
const FEWEST_ROWS = 100;
const MOST_ROWS = 2_000;

/** An image that a source offers for a page; `listed` as in merge-ordered.ts. */
interface Offer {
  readonly id: string;
  readonly image: Image;
  readonly listed: boolean;
}

/** The ImageListing of core/images/repository.ts on DynamoDB. */
export function createImageListing(table: Table, options: ImageListingOptions = {}): ImageListing {
  const shards = options.visibilityShards ?? 1;
  const { recent } = table;
  const firstReads = createFirstReads();

  /**
   * The images of a source in order, those left out that this process has just written. What the source's own filters drop is
   * offered unlisted where the order is the index's: an admin's community images are few among what the project owns.
   */
  async function* indexed(source: Source, walk: Walk): AsyncGenerator<Offer> {
    const marks = walk.ordered && source.kind !== 'member';
    const filters = marks ? walk.query.filters : [...walk.query.filters, ...source.filters];
    const pages = source.kind === 'member' ? memberPages(source, walk) : partitionPages(source, filters, walk);
    const wanted = wantedBy(walk.query, filters);
    const isStale = (image: Image) => source.kind !== 'member' && recent.images.has(image.id);
    for await (const page of pages) {
      for (const image of page.filter((each) => wanted(each) && !isStale(each))) {
        yield { id: image.id, image, listed: matches(image, source.filters) };
        walk.used.set(source.partition, (walk.used.get(source.partition) ?? 0) + 1);
      }
    }
  }

  /** The images of a source that this process has just written, in order, as they were written. */
  async function* justWritten(source: Source, { query, written }: Walk): AsyncGenerator<Offer> {
    const filters = [...query.filters, ...source.filters];
    const images =
      source.kind === 'member'
        ? await imagesByIds(
            table,
            justShared(source).map((member) => member.imageId),
          )
        : (written.get(source.partition) ?? []);
    for (const image of images.filter(wantedBy(query, filters)).sort(compareImages(query.sort)))
      yield { id: image.id, image, listed: true };
  }

  function byPartition(images: readonly Image[]): Map<string, Image[]> {
    const found = new Map<string, Image[]>();
    for (const image of images) {
      for (const partition of partitionsOf(image, shards)) {
        const held = found.get(partition);
        if (held === undefined) found.set(partition, [image]);
        else held.push(image);
      }
    }
    return found;
  }

  function justShared(source: Source): Member[] {
    return recent.members
      .values()
      .filter(({ project, status }) => memberPartition(project, status) === source.partition);
  }

  /** Images of one owner or visibility partition, page by page, in the order of the index. */
  async function* partitionPages(source: Source, filters: readonly Filter[], walk: Walk): AsyncGenerator<Image[]> {
    const index = indexOf(source, walk);
    const expression = new Expression();
    const filter = filterExpression(filters, expression);
    const keys = keyCondition(expression, index, source.partition, walk);
    const { limit } = walk.query;
    let rows = filters.length > 1 ? Math.max(limit, FEWEST_ROWS) : firstReads.rows(source.partition, limit);
    let start: Record<string, unknown> | undefined;
    do {
      const page = await table.client.send(
        new QueryCommand({
          TableName: table.name,
          IndexName: index,
          KeyConditionExpression: keys,
          FilterExpression: filter,
          ...expression.placeholders,
          ScanIndexForward: walk.direction === 'asc',
          Limit: walk.ordered ? rows : MOST_ROWS,
          ExclusiveStartKey: start,
        }),
      );
      walk.rows += page.ScannedCount ?? 0;
      yield (page.Items ?? []).map(imageOf).filter((image) => image !== undefined);
      start = page.LastEvaluatedKey;
      rows = Math.min(rows * 2, MOST_ROWS);
    } while (start !== undefined);
  }

  /** Images shared with a project: its memberships in the order of the images' creation, and the images by their ids. */
  async function* memberPages(source: Source, walk: Walk): AsyncGenerator<Image[]> {
    const inOrder = walk.ordered && walk.order === 'created';
    const collected: Image[] = [];
    let start: Record<string, unknown> | undefined;
    do {
      const expression = new Expression();
      const page = await table.client.send(
        new QueryCommand({
          TableName: table.name,
          IndexName: 'gsi1',
          KeyConditionExpression: keyCondition(expression, 'gsi1', source.partition, inOrder ? walk : undefined),
          ...expression.placeholders,
          ScanIndexForward: walk.direction === 'asc',
          Limit: BATCH_GET_KEYS,
          ExclusiveStartKey: start,
        }),
      );
      walk.rows += page.ScannedCount ?? 0;
      const offered = (page.Items ?? []).filter(
        (item) => !recent.members.has(recentMemberKey(item['image_id'] as string, item['member_id'] as string)),
      );
      const images = await imagesByIds(
        table,
        offered.map((item) => item['image_id'] as string),
      );
      if (inOrder) yield images;
      else collected.push(...images);
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
    if (!inOrder) yield collected.sort(compareImages(walk.query.sort));
  }

  /** Images named by their ids are read directly, if the caller's list would hold them. */
  async function pageOfIds(ids: readonly string[], query: ImageQuery) {
    const sources = sourcesOf(query, shards);
    const found = await Promise.all(
      (await imagesByIds(table, ids)).map(async (image) => ({ image, listed: await isListed(image, sources) })),
    );
    const images = found
      .filter(({ image, listed }) => listed && wantedBy(query, query.filters)(image))
      .map(({ image }) => image)
      .sort(compareImages(query.sort))
      .slice(0, query.limit);
    return { images, more: images.length === query.limit };
  }

  async function isListed(image: Image, sources: readonly Source[]): Promise<boolean> {
    const partitions = partitionsOf(image, shards);
    for (const source of sources) {
      if (!matches(image, source.filters)) continue;
      if (source.kind === 'member' ? await isShared(image, source) : partitions.includes(source.partition)) return true;
    }
    return false;
  }

  /** Whether a membership with the source's project and status exists for an image. */
  async function isShared(image: Image, source: Extract<Source, { kind: 'member' }>): Promise<boolean> {
    const answer = await table.client.send(
      new GetCommand({ TableName: table.name, Key: memberKey(image.id, source.project), ConsistentRead: true }),
    );
    return answer.Item?.['gsi1pk'] === source.partition;
  }

  return {
    async page(query) {
      const { images, more } = await pageOf(query);
      return { images: await withProgress(table, images), more };
    },
    usageOf: (project) => projectUsage(table, project),
  };

  async function pageOf(query: ImageQuery): Promise<Page> {
    if (query.limit === 0) return { images: [], more: false };
    const ids = wantedIds(query.filters);
    if (ids !== undefined) return pageOfIds(ids, query);
    const walk = { ...walkOf(query), written: byPartition(recent.images.values()), rows: 0, used: new Map() };
    const sources = sourcesOf(query, shards);
    const streams = sources.flatMap((source) => [indexed(source, walk), justWritten(source, walk)]);
    const compareOf = compareImages(query.sort);
    const compare = (a: Offer, b: Offer) => compareOf(a.image, b.image);
    if (!walk.ordered) return bestOf(streams, compare, query.limit);
    const page = await firstPage(mergeOrdered(streams, compare), walk);
    for (const { partition } of sources) firstReads.note(partition, walk.used.get(partition) ?? 0, query.limit);
    return page;
  }
}

type Page = Awaited<ReturnType<ImageListing['page']>>;

/** Filters and marker of a query as one question. */
function wantedBy(query: ImageQuery, filters: readonly Filter[]): (image: Image) => boolean {
  const compare = compareImages(query.sort);
  const { marker } = query;
  return (image) => matches(image, filters) && (marker === undefined || compare(image, marker) > 0);
}

/** Owner and visibility partitions that list an image. */
function partitionsOf(image: Image, shards: number): string[] {
  const { gsi3pk } = visibilityIndexKeys(image.id, image.visibility, shards);
  return image.owner === null ? [gsi3pk] : [gsi3pk, ownerPartition(image.owner)];
}

/** Ids that the filters name, as few as one request reads. */
function wantedIds(filters: readonly Filter[]): readonly string[] | undefined {
  const found = filters.find((filter) => filter.kind === 'equal' && filter.attribute === 'id');
  if (found?.kind !== 'equal' || found.values.length > BATCH_GET_KEYS) return undefined;
  return found.values.map(String).filter((id) => id !== '' && id.length < 64);
}

async function bestOf(
  streams: readonly AsyncGenerator<Offer>[],
  compare: (a: Offer, b: Offer) => number,
  limit: number,
) {
  const { images, more } = await topOf(streams, compare, limit);
  return { images: images.map(({ image }) => image), more };
}

async function firstPage(
  merged: AsyncGenerator<Offer>,
  walk: Walk,
): Promise<{ readonly images: readonly Image[]; readonly more: boolean }> {
  const images: Image[] = [];
  let bytes = 0;
  for await (const { image } of merged) {
    images.push(image);
    bytes += roughBytes(image);
    if (images.length === walk.query.limit || bytes > PAGE_BYTES || walk.rows > PAGE_ROWS)
      return { images, more: true };
  }
  return { images, more: false };
}

/** Bytes of an image's JSON, near enough to cut a page: what clients fill counts exactly, the rest as a kilobyte. */
function roughBytes(image: Image): number {
  return 1_000 + Buffer.byteLength(JSON.stringify([image.properties, image.tags]));
}
