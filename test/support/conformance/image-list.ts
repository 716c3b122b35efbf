import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Image } from '../../../core/images/image.ts';
import type { Filter, ImageQuery, SortKey } from '../../../core/images/query.ts';
import type { ImageListing, ImageRepository } from '../../../core/images/repository.ts';
import type { MemberRepository } from '../../../core/members/repository.ts';
import { aLocation, anImage } from '../images.ts';
import { aMember } from './members.ts';

export interface OpenImageListing {
  readonly images: ImageRepository;
  readonly members: MemberRepository;
  readonly imageList: ImageListing;
  close(): Promise<void>;
}

const NEWEST_FIRST = [
  { key: 'createdAt', direction: 'desc' },
  { key: 'id', direction: 'desc' },
] as const;

function listing(opened: () => OpenImageListing) {
  return async (project: string | null, more: Partial<ImageQuery> = {}) => {
    const page = await opened().imageList.page({
      project,
      isAdmin: false,
      memberStatus: 'accepted',
      filters: [{ kind: 'equal', attribute: 'hidden', values: [false] }],
      sort: NEWEST_FIRST,
      limit: 25,
      ...more,
    });
    return page.images.map((image) => image.name);
  };
}

/** What every ImageListing does. */
export function imageListingSuite(open: () => Promise<OpenImageListing>): void {
  describe('images that are being imported', () => {
    let opened: OpenImageListing;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened.close());

    test('say in a list how far they are, as by themselves', async () => {
      const { images, imageList } = opened;
      const [first, second, idle] = [
        anImage({ status: 'importing', lock: 'task-1' }),
        anImage({ status: 'active', lock: 'task-2', importingTo: ['dcn0'] }),
        anImage({ status: 'active' }),
      ];
      for (const image of [first, second, idle]) await images.create({ ...image, owner: 'importer' });
      await images.noteProgress(first.id, 'task-1', { phase: 'fetch', percent: 10 });
      await images.noteProgress(second.id, 'task-2', { phase: 'hash', percent: 20 });

      const { images: listed } = await imageList.page({
        ...{
          project: 'importer',
          isAdmin: false,
          memberStatus: 'accepted',
          filters: [],
          sort: NEWEST_FIRST,
          limit: 25,
        },
      });

      const progress = Object.fromEntries(listed.map((image) => [image.id, image.progress?.percent]));
      expect(progress).toEqual({ [first.id]: 10, [second.id]: 20, [idle.id]: undefined });
    });
  });

  describe('which images a list may show', () => {
    let opened: OpenImageListing;
    const list = listing(() => opened);
    beforeAll(async () => {
      opened = await open();
      const { images, members } = opened;
      const shared = (['pending', 'accepted', 'rejected'] as const).map((status) => ({
        status,
        image: anImage({ owner: 'other', name: `shared ${status}` }),
      }));
      for (const { image, status } of shared) {
        await images.create(image);
        await members.create(aMember({ imageId: image.id, project: 'demo', status }));
      }
      for (const owner of ['demo', 'other', null])
        for (const visibility of ['public', 'community', 'private', 'shared'] as const)
          await images.create(anImage({ owner, visibility, name: `${owner} ${visibility}` }));
      const hiddenMembership = anImage({ owner: 'other', visibility: 'private', name: 'shared once, private now' });
      await images.create(hiddenMembership);
      await members.create(aMember({ imageId: hiddenMembership.id, project: 'demo', status: 'accepted' }));
    });
    afterAll(() => opened.close());

    const PUBLIC = ['demo public', 'null public', 'other public'];
    const COMMUNITY = ['demo community', 'null community', 'other community'];
    const OWN = ['demo community', 'demo private', 'demo public', 'demo shared'];
    const PRIVATE = ['demo private', 'null private', 'other private', 'shared once, private now'];
    const SHARED = [
      'demo shared',
      'null shared',
      'other shared',
      'shared accepted',
      'shared pending',
      'shared rejected',
    ];

    test.each<[string, string | null, Partial<ImageQuery>, string[]]>([
      ['a project', 'demo', {}, [...PUBLIC, ...OWN, 'shared accepted']],
      ['a project, any membership', 'demo', { memberStatus: 'all' }, [...PUBLIC, ...OWN, ...SHARED.slice(3)]],
      ['a project, pending ones', 'demo', { memberStatus: 'pending' }, [...PUBLIC, ...OWN, 'shared pending']],
      ['a project, all', 'demo', { visibility: 'all' }, [...PUBLIC, ...COMMUNITY, ...OWN, 'shared accepted']],
      ['a project, public', 'demo', { visibility: 'public' }, PUBLIC],
      ['a project, community', 'demo', { visibility: 'community' }, COMMUNITY],
      ['a project, private', 'demo', { visibility: 'private' }, ['demo private']],
      ['a project, shared', 'demo', { visibility: 'shared' }, ['demo shared', 'shared accepted']],
      ['a project without images', 'new', {}, PUBLIC],
      ['nobody', null, {}, PUBLIC],
      ['nobody, all', null, { visibility: 'all' }, [...PUBLIC, ...COMMUNITY]],
      ['nobody, private', null, { visibility: 'private' }, []],
      ['nobody, shared', null, { visibility: 'shared' }, []],
      ['an admin', 'demo', { isAdmin: true }, [...PUBLIC, 'demo community', ...PRIVATE, ...SHARED]],
      ['an admin of no project', null, { isAdmin: true }, [...PUBLIC, ...PRIVATE, ...SHARED]],
      ['an admin, all', 'demo', { isAdmin: true, visibility: 'all' }, [...PUBLIC, ...COMMUNITY, ...PRIVATE, ...SHARED]],
      ['an admin, community', 'demo', { isAdmin: true, visibility: 'community' }, COMMUNITY],
      ['an admin, private', 'demo', { isAdmin: true, visibility: 'private' }, PRIVATE],
    ])('%s', async (_, project, query, names) => {
      expect((await list(project, query)).toSorted()).toEqual([...new Set(names)].toSorted());
    });

    test.each<[string, string | null, Partial<ImageQuery>, string[]]>([
      ['a project asks for its own', 'demo', { filters: [ownerIs('demo')] }, OWN],
      ['a project asks for another’s', 'demo', { filters: [ownerIs('other')] }, ['other public', 'shared accepted']],
      [
        'an admin asks for another’s',
        'demo',
        { isAdmin: true, filters: [ownerIs('other')] },
        ['other private', 'other public', 'other shared', ...SHARED.slice(3), 'shared once, private now'],
      ],
    ])('of one owner: %s', async (_, project, query, names) => {
      expect((await list(project, query)).toSorted()).toEqual(names.toSorted());
    });

    test('one image comes once, though several reasons show it', async () => {
      const names = await list('demo', { visibility: 'all', memberStatus: 'all' });

      expect(names).toHaveLength(new Set(names).size);
    });

    test('images named by their ids are held to the same rule', async () => {
      const all = await opened.imageList.page({
        ...{ project: null, isAdmin: true, visibility: 'all', memberStatus: 'all' },
        ...{ filters: [], sort: NEWEST_FIRST, limit: 100 },
      });
      const values = all.images.map(({ id }) => id);
      const byIds = { filters: [{ kind: 'equal', attribute: 'id', values } as const] };

      expect((await list('demo', byIds)).toSorted()).toEqual(
        [...new Set([...PUBLIC, ...OWN, 'shared accepted'])].toSorted(),
      );
    });
  });

  describe('filters', () => {
    let opened: OpenImageListing;
    const list = listing(() => opened);
    beforeAll(async () => {
      opened = await open();
      const one = anImage({
        ...{ name: 'one', diskFormat: 'raw', size: 10, minRam: 1, tags: ['x', 'y'], properties: { a: '1', k: null } },
        ...{ createdAt: '2026-01-01T00:00:00.500Z', protected: true },
      });
      const two = anImage({
        ...{ name: 'two', diskFormat: 'qcow2', size: 20, minRam: 2, tags: ['y'], properties: { a: '2' } },
        ...{ createdAt: '2026-01-02T00:00:00.000Z' },
      });
      const bare = anImage({ name: 'bare', createdAt: '2026-01-03T00:00:00.000Z' });
      for (const image of [one, two, bare]) await opened.images.create(image);
    });
    afterAll(() => opened.close());

    test.each<[string, Filter[], string[]]>([
      ['equal', [{ kind: 'equal', attribute: 'diskFormat', values: ['raw'] }], ['one']],
      ['one of several', [{ kind: 'equal', attribute: 'diskFormat', values: ['raw', 'qcow2'] }], ['two', 'one']],
      ['a name', [{ kind: 'equal', attribute: 'name', values: ['two'] }], ['two']],
      ['truth', [{ kind: 'equal', attribute: 'protected', values: [true] }], ['one']],
      ['more', [{ kind: 'compare', attribute: 'size', operator: 'gt', value: 10 }], ['two']],
      ['at least', [{ kind: 'compare', attribute: 'size', operator: 'gte', value: 10 }], ['two', 'one']],
      ['less', [{ kind: 'compare', attribute: 'size', operator: 'lt', value: 20 }], ['one']],
      ['at most', [{ kind: 'compare', attribute: 'size', operator: 'lte', value: 20 }], ['two', 'one']],
      ['other than, which null is not', [{ kind: 'compare', attribute: 'size', operator: 'neq', value: 10 }], ['two']],
      ['times in whole seconds', [{ kind: 'equal', attribute: 'createdAt', values: ['2026-01-01T00:00:00'] }], ['one']],
      ['a tag', [{ kind: 'tag', tag: 'y' }], ['two', 'one']],
      ['a property', [{ kind: 'property', key: 'a', value: '1' }], ['one']],
      [
        'all of them',
        [
          { kind: 'tag', tag: 'y' },
          { kind: 'property', key: 'a', value: '2' },
        ],
        ['two'],
      ],
      ['nothing that meets them', [{ kind: 'tag', tag: 'z' }], []],
    ])('%s', async (_, filters, names) => {
      expect(await list('demo', { filters })).toEqual(names);
    });
  });

  describe('order and pages', () => {
    let opened: OpenImageListing;
    const list = listing(() => opened);
    const made: Image[] = [];
    beforeAll(async () => {
      opened = await open();
      const facts = [
        { name: 'b', size: 3, createdAt: '2026-01-03T00:00:00.000Z', visibility: 'public' },
        { name: null, size: 1, createdAt: '2026-01-02T00:00:00.000Z', visibility: 'private' },
        { name: 'a', size: null, createdAt: '2026-01-04T00:00:00.000Z', visibility: 'shared' },
        { name: 'b', size: 2, createdAt: '2026-01-01T00:00:00.000Z', visibility: 'public' },
        { name: 'c', size: 3, createdAt: '2026-01-04T00:00:00.000Z', visibility: 'community' },
      ] as const;
      for (const fact of facts) {
        const image = anImage(fact);
        made.push(image);
        await opened.images.create(image);
      }
    });
    afterAll(() => opened.close());

    const sortBy = (keys: readonly SortKey[], direction: 'asc' | 'desc') => keys.map((key) => ({ key, direction }));

    test('null stands before every name', async () => {
      const sort = sortBy(['name', 'createdAt', 'id'], 'asc');

      expect(await list('demo', { sort })).toEqual([null, 'a', 'b', 'b', 'c']);
      expect(await list('demo', { sort: sortBy(['name', 'createdAt', 'id'], 'desc') })).toEqual([
        'c',
        'b',
        'b',
        'a',
        null,
      ]);
    });

    test('null stands before every size', async () => {
      expect(await list('demo', { sort: sortBy(['size', 'createdAt', 'id'], 'asc') })).toEqual([
        'a',
        null,
        'b',
        'b',
        'c',
      ]);
    });

    test('directions may differ by key', async () => {
      const sort = [...sortBy(['name'], 'desc'), ...sortBy(['createdAt', 'id'], 'asc')];
      const { images } = await opened.imageList.page(queryOf({ sort, limit: 9 }));

      expect(images.map(({ createdAt }) => createdAt.slice(8, 10))).toEqual(['04', '01', '03', '04', '02']);
    });

    const queryOf = (more: Partial<ImageQuery>): ImageQuery => ({
      ...{ project: 'demo', isAdmin: false, memberStatus: 'accepted', filters: [], sort: NEWEST_FIRST, limit: 2 },
      ...more,
    });

    test.each([
      ['by creation', sortBy(['createdAt', 'id'], 'desc')],
      ['by creation, oldest first', sortBy(['createdAt', 'id'], 'asc')],
      ['by name', sortBy(['name', 'createdAt', 'id'], 'asc')],
      ['by name, last first', sortBy(['name', 'createdAt', 'id'], 'desc')],
      ['by size', sortBy(['size', 'createdAt', 'id'], 'asc')],
    ])('pages follow one another by their markers: %s', async (_, sort) => {
      const seen: string[] = [];
      let marker: Image | undefined;
      for (;;) {
        const { images, more } = await opened.imageList.page(queryOf({ sort, ...(marker && { marker }) }));
        seen.push(...images.map(({ id }) => id));
        expect(more).toBe(images.length === 2);
        marker = images.at(-1);
        if (!more) break;
      }
      const whole = await opened.imageList.page(queryOf({ sort, limit: 25 }));

      expect(seen).toEqual(whole.images.map(({ id }) => id));
      expect(seen.toSorted()).toEqual(made.map(({ id }) => id).toSorted());
    });

    test('a page of none is empty and has nothing after it', async () => {
      expect(await opened.imageList.page(queryOf({ limit: 0 }))).toEqual({ images: [], more: false });
    });
  });

  describe('a list reads its own process writes', () => ownWrites(open));

  describe('what a project’s images take', () => {
    let opened: OpenImageListing;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened.close());

    test('copies, staged bytes and work in progress, of its own images only', async () => {
      const { images, imageList } = opened;
      const staged = { writeId: 'w', layout: 'plain', size: 7 } as const;
      await images.create(anImage({ status: 'active', size: 10, locations: [aLocation('a'), aLocation('b')] }));
      await images.create(anImage({ status: 'active', size: 100, locations: [aLocation('a')], importingTo: ['b'] }));
      await images.create(anImage({ status: 'uploading', staged }));
      await images.create(anImage({ status: 'saving', size: 3 }));
      await images.create(anImage({ owner: 'other', status: 'active', size: 1000, locations: [aLocation('a')] }));

      expect(await imageList.usageOf('demo')).toEqual({ storedBytes: 220, stagedBytes: 107, images: 4, uploading: 3 });
      expect(await imageList.usageOf('new')).toEqual({ storedBytes: 0, stagedBytes: 0, images: 0, uploading: 0 });
    });
  });
}

/** That lists show this process's writes at once, however late their indexes are. */
export function ownWrites(open: () => Promise<OpenImageListing>): void {
  let opened: OpenImageListing;
  const list = listing(() => opened);
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened.close());

  test('created, renamed, hidden, removed', async () => {
    const { images } = opened;
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
    const { images, members } = opened;
    expect(await list('alt')).toEqual([]);
    const image = anImage({ name: 'offered' });
    await images.create(image);
    await members.create(aMember({ imageId: image.id, project: 'alt', status: 'pending' }));
    expect(await list('alt')).toEqual([]);
    await members.setStatus(image.id, 'alt', 'accepted', '2026-02-01T00:00:00.000Z');
    expect(await list('alt')).toEqual(['offered']);
    await members.delete(image.id, 'alt');
    expect(await list('alt')).toEqual([]);
    await images.change(image.id, { set: { visibility: 'public' } });
    expect(await list('alt')).toEqual(['offered']);
  });
}

const ownerIs = (owner: string): Filter => ({ kind: 'equal', attribute: 'owner', values: [owner] });
