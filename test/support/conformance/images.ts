import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ImageChange, ImageRepository } from '../../../core/images/repository.ts';
import type { ImageStatus } from '../../../core/images/status.ts';
import { aLocation, anImage } from '../images.ts';

export interface OpenImages {
  readonly images: ImageRepository;
  /** The repository's clock. */
  readonly time: { nowMs: number };
  close(): Promise<void>;
}

/** What every ImageRepository does. */
export function imageRepositorySuite(open: () => Promise<OpenImages>): void {
  let images: ImageRepository;
  let opened: OpenImages;
  beforeAll(async () => {
    opened = await open();
    images = opened.images;
  });
  afterAll(() => opened.close());

  describe('image records', () => {
    test('give back what was created, nulls and sets included', async () => {
      const image = anImage({
        name: null,
        owner: null,
        tags: ['b', 'a'],
        properties: { 'a.b': 'x', kernel_id: null, '': 'odd' },
        locations: [aLocation('central')],
        importingTo: [],
        failedImport: ['dcn1', 'dcn0'],
        staged: { writeId: 'w', layout: 'plain', size: 3 },
        lock: 'task',
        progress: { phase: 'copy', percent: 3 },
        origin: { taskId: 'task', source: { format: 'vmdk' } },
      });

      await images.create(image);

      expect(await images.get(image.id)).toEqual({ ...image, failedImport: ['dcn0', 'dcn1'] });
    });

    test('are nobody else’s: what a caller does to an answer or an argument changes no record', async () => {
      const properties: Record<string, string> = { kept: '1' };
      const image = anImage({ properties });
      await images.create(image);
      properties['kept'] = '2';
      Object.assign((await images.get(image.id)) ?? {}, { name: 'changed by its reader' });

      expect(await images.get(image.id)).toMatchObject({ name: image.name, properties: { kept: '1' } });
    });

    test('give undefined for an id that never was', async () => {
      const { id } = anImage();

      expect(await images.get(id)).toBeUndefined();
      await expect(images.change(id, { set: { name: 'x' } })).rejects.toMatchObject({
        kind: 'NotFound',
        message: `No image found with ID ${id}`,
      });
      await expect(images.delete(id)).rejects.toMatchObject({ kind: 'NotFound' });
    });

    test('refuse an id that exists or existed', async () => {
      const image = anImage();
      await images.create(image);
      await expect(images.create(image)).rejects.toMatchObject({
        kind: 'Conflict',
        message: `Image ID ${image.id} already exists!`,
      });

      const last = await images.delete(image.id);

      expect(last).toEqual(image);
      expect(await images.get(image.id)).toBeUndefined();
      await expect(images.create(image)).rejects.toMatchObject({ kind: 'Conflict' });
      await expect(images.delete(image.id)).rejects.toMatchObject({ kind: 'NotFound' });
      await expect(images.change(image.id, { set: { name: 'x' } })).rejects.toMatchObject({ kind: 'NotFound' });
    });

    test('change only what is named, raise the revision and the time', async () => {
      const image = anImage({ properties: { keep: '1', drop: '2' }, diskFormat: 'raw' });
      await images.create(image);
      opened.time.nowMs += 1000;

      const changed = await images.change(image.id, {
        expect: { status: ['queued'] },
        set: { name: 'new', diskFormat: null, status: 'saving', lock: 'me' },
        mergeProperties: { drop: null, added: '3' },
        addLocations: [aLocation('central'), aLocation('dcn0', { addedAtMs: 0 })],
        importingTo: { add: ['b', 'a'] },
        failedImport: {},
      });

      expect(changed).toEqual({
        ...image,
        name: 'new',
        diskFormat: null,
        status: 'saving',
        lock: 'me',
        properties: { keep: '1', added: '3' },
        locations: [aLocation('dcn0', { addedAtMs: 0 }), aLocation('central')],
        importingTo: ['a', 'b'],
        failedImport: [],
        updatedAt: new Date(opened.time.nowMs).toISOString(),
        revision: 1,
      });
    });

    test.each<[string, ImageChange, Record<string, string | null>]>([
      ['set whole', { set: { properties: { a: 'new' } } }, { a: 'new' }],
      ['merged', { mergeProperties: { b: 'new', c: '3' } }, { a: '1', b: 'new', c: '3' }],
      ['removed by a merge', { mergeProperties: { a: null } }, { b: '2' }],
      [
        'set whole, then merged',
        { set: { properties: { a: 'x', d: '4' } }, mergeProperties: { a: null, e: '5' } },
        { d: '4', e: '5' },
      ],
    ])('have their properties %s', async (_, change, properties) => {
      const image = anImage({ properties: { a: '1', b: '2' } });
      await images.create(image);

      expect((await images.change(image.id, change)).properties).toEqual(properties);
    });

    test('leave time and revision alone on a quiet change', async () => {
      const image = anImage({ importingTo: ['a'] });
      await images.create(image);
      opened.time.nowMs += 1000;

      const changed = await images.change(image.id, { importingTo: { remove: ['a'] }, quiet: true });

      expect(changed).toEqual({ ...image, importingTo: [] });
      expect(await images.change(image.id, { quiet: true })).toEqual(changed);
    });

    test.each<[string, string[] | null, NonNullable<ImageChange['importingTo']>, string[]]>([
      ['named without a store is empty', null, {}, []],
      ['gains a store once', ['b'], { add: ['a', 'b', 'a'] }, ['a', 'b']],
      ['loses a store, and misses none that it had not', ['a', 'b'], { remove: ['b', 'c'] }, ['a']],
      ['keeps what is added and removed at once', ['b'], { add: ['a'], remove: ['a'] }, ['a', 'b']],
    ])('a store list that is %s', async (_, before, change, after) => {
      const image = anImage({ importingTo: before, failedImport: before });
      await images.create(image);

      const changed = await images.change(image.id, { importingTo: change, failedImport: change });

      expect(changed).toMatchObject({ importingTo: after, failedImport: after });
    });

    test('a store list takes additions or removals, not both', async () => {
      const image = anImage({ importingTo: ['a'] });
      await images.create(image);

      const change = { importingTo: { add: ['b'], remove: ['a'] } };

      await expect(images.change(image.id, change)).rejects.toThrow(TypeError);
      expect(await images.get(image.id)).toEqual(image);
    });

    test('remove one location and no other', async () => {
      const image = anImage({ locations: [aLocation('central'), aLocation('dcn0')] });
      await images.create(image);

      const changed = await images.change(image.id, { removeLocations: ['dcn0:write-1', 'nowhere:x'] });

      expect(changed.locations.map((location) => location.store)).toEqual(['central']);
    });

    test('hold one location per store and write: a repeated write replaces itself', async () => {
      const image = anImage({ locations: [aLocation('central'), aLocation('central', { writeId: 'write-2' })] });
      await images.create(image);

      const changed = await images.change(image.id, { addLocations: [aLocation('central', { storedBytes: 99 })] });

      expect(changed.locations.map(({ writeId, storedBytes }) => [writeId, storedBytes])).toEqual(
        expect.arrayContaining([
          ['write-1', 99],
          ['write-2', 10],
        ]),
      );
      expect(changed.locations).toHaveLength(2);
    });

    test.each([
      ['another status', { status: ['active'] as const }, 'Conflict', /status queued.*active/],
      ['a lock that is not held', { lock: 'task-2' }, 'Conflict', /by task-1.*task-2/],
      ['a lock that should be free', { lock: null }, 'Conflict', /by task-1.*nothing/],
      ['an old revision', { revision: 7 }, 'StaleRevision', /revision 0/],
    ])('refuse a change that expects %s', async (_, expected, kind, message) => {
      const image = anImage({ lock: 'task-1' });
      await images.create(image);

      const refused = expect(images.change(image.id, { expect: expected, set: { name: 'no' } })).rejects;

      await refused.toMatchObject({ kind, message: expect.stringMatching(message) });
      expect(await images.get(image.id)).toEqual(image);
      await expect(images.delete(image.id, expected)).rejects.toMatchObject({ kind });
    });

    test('have whoever read an older record read again, whatever else differs', async () => {
      const image = anImage({ lock: 'task-1' });
      await images.create(image);

      const expected = { revision: 7, status: ['active'] as const, lock: null };

      await expect(images.change(image.id, { expect: expected })).rejects.toMatchObject({ kind: 'StaleRevision' });
    });

    test.each<[string, ImageStatus, readonly ImageStatus[] | undefined]>([
      ['without a word of where it comes from', 'active', undefined],
      ['from where the table does not lead there', 'active', ['uploading']],
      ['from one of several where it does not', 'queued', ['importing', 'active']],
      ['from where nothing leads on', 'queued', ['deleted']],
    ])('set no status %s', async (_, status, expected) => {
      const image = anImage();
      await images.create(image);

      const change = { set: { status }, ...(expected && { expect: { status: expected } }) };

      await expect(images.change(image.id, change)).rejects.toThrow(TypeError);
      expect(await images.get(image.id)).toEqual(image);
    });

    test('move along the table, and stay where they are', async () => {
      const image = anImage();
      await images.create(image);
      for (const [from, to] of [
        ['queued', 'importing'],
        ['importing', 'importing'],
        ['importing', 'active'],
        ['active', 'deactivated'],
      ] as const)
        await images.change(image.id, { expect: { status: [from] }, set: { status: to } });

      expect(await images.get(image.id)).toMatchObject({ status: 'deactivated' });
    });

    test('take a change whose every expectation holds', async () => {
      const image = anImage({ lock: 'task-1' });
      await images.create(image);

      const expected = { revision: 0, status: ['active', 'queued'] as const, lock: 'task-1' };
      await images.change(image.id, { expect: expected, set: { lock: null } });
      await images.change(image.id, { expect: { lock: null }, set: { lock: 'task-2' } });

      expect(await images.delete(image.id, { lock: 'task-2', revision: 2 })).toMatchObject({ revision: 2 });
    });

    test('let one of many writers with the same revision win', async () => {
      const image = anImage();
      await images.create(image);

      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (_, n) =>
          images.change(image.id, { expect: { revision: 0 }, set: { name: `writer ${n}` } }),
        ),
      );

      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
      expect((await images.get(image.id))?.revision).toBe(1);
    });

    test('show how far the task is that holds them, which is no change of theirs', async () => {
      const image = anImage({ status: 'importing', lock: 'task-a', progress: { phase: 'fetch', percent: 1 } });
      await images.create(image);
      await images.noteProgress(image.id, 'task-a', { phase: 'render', percent: 40, etaSeconds: 7 });
      await images.noteProgress(image.id, 'task-b', { phase: 'hash', percent: 90 });

      const shown = { ...image, progress: { phase: 'render', percent: 40, etaSeconds: 7 } };
      expect(await images.get(image.id)).toEqual(shown);
      expect(await images.change(image.id, { set: { name: 'new' } })).toMatchObject({ progress: shown.progress });
      const ended = { expect: { lock: 'task-a' }, set: { lock: null, progress: null } };
      expect(await images.change(image.id, ended)).toMatchObject({ progress: null });
      expect(await images.get(image.id)).toMatchObject({ progress: null });
    });
  });
}
