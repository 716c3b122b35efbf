import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createImageListing } from '../../aws/dynamodb/image-list.ts';
import { createImageRepository } from '../../aws/dynamodb/images.ts';
import { createMemberRepository } from '../../aws/dynamodb/members.ts';
import type { Table } from '../../aws/dynamodb/table.ts';
import type { ImageQuery } from '../../core/images/query.ts';
import type { ImageListing, ImageRepository } from '../../core/images/repository.ts';
import type { MemberRepository } from '../../core/members/repository.ts';
import { anImage } from '../support/images.ts';
import { startTable } from '../support/table.ts';

/** The table with index reads frozen at their first answer: an index that sees no later write. */
function frozenIndexes(table: Table): Table {
  const answers = new Map<string, unknown>();
  const client = new Proxy(table.client, {
    get(target, property) {
      if (property !== 'send') return Reflect.get(target, property, target);
      return async (command: unknown) => {
        const send = () => (target.send as (command: unknown) => Promise<unknown>)(command);
        if (!(command instanceof QueryCommand) || command.input.IndexName === undefined) return send();
        const key = JSON.stringify(command.input);
        if (!answers.has(key)) answers.set(key, await send());
        return answers.get(key);
      };
    },
  });
  return { ...table, client };
}

let images: ImageRepository;
let members: MemberRepository;
let listing: ImageListing;
let close: () => Promise<void>;
beforeAll(async () => {
  const started = await startTable();
  close = started.close;
  const table = frozenIndexes(started.table);
  images = createImageRepository(table, { clock: { now: () => Date.now() } });
  members = createMemberRepository(table);
  listing = createImageListing(table);
});
afterAll(() => close());

const list = async (project: string, more: Partial<ImageQuery> = {}) => {
  const page = await listing.page({
    project,
    isAdmin: false,
    memberStatus: 'accepted',
    filters: [{ kind: 'equal', attribute: 'hidden', values: [false] }],
    sort: [
      { key: 'createdAt', direction: 'desc' },
      { key: 'id', direction: 'desc' },
    ],
    limit: 25,
    ...more,
  });
  return page.images.map((image) => image.name);
};

describe('a list reads its own process writes while indexes lag', () => {
  test('created, renamed, hidden, removed', async () => {
    expect(await list('demo')).toEqual([]);
    const first = anImage({ name: 'first', createdAt: '2026-01-01T00:00:00.000Z' });
    await images.create(first);
    await images.create(anImage({ name: 'second', createdAt: '2026-01-02T00:00:00.000Z' }));
    expect(await list('demo')).toEqual(['second', 'first']);

    await images.change(first.id, { set: { name: 'zzz' } });
    const byName = { sort: (['name', 'createdAt', 'id'] as const).map((key) => ({ key, direction: 'asc' as const })) };
    expect(await list('demo', byName)).toEqual(['second', 'zzz']);
    await images.change(first.id, { set: { hidden: true } });
    expect(await list('demo')).toEqual(['second']);
    await images.change(first.id, { set: { hidden: false } });
    await images.delete(first.id);
    expect(await list('demo')).toEqual(['second']);
  });

  test('published, shared, accepted, taken back', async () => {
    expect(await list('alt')).toEqual([]);
    const image = anImage({ name: 'offered' });
    await images.create(image);
    const at = image.createdAt;
    await members.create({
      imageId: image.id,
      project: 'alt',
      status: 'pending',
      imageCreatedAt: at,
      createdAt: at,
      updatedAt: at,
    });
    expect(await list('alt')).toEqual([]);
    await members.setStatus(image.id, 'alt', 'accepted', '2026-02-01T00:00:00.000Z');
    expect(await list('alt')).toEqual(['offered']);
    await members.delete(image.id, 'alt');
    expect(await list('alt')).toEqual([]);
    await images.change(image.id, { set: { visibility: 'public' } });
    expect(await list('alt')).toEqual(['offered']);
  });
});
