import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createImageRepository } from '../../aws/dynamodb/images.ts';
import type { ImageRepository } from '../../core/images/repository.ts';
import { aLocation, anImage } from '../support/images.ts';
import { startTable } from '../support/table.ts';

let images: ImageRepository;
let close: () => Promise<void>;
let nowMs = Date.parse('2026-02-02T00:00:00Z');

beforeAll(async () => {
  const started = await startTable();
  close = started.close;
  images = createImageRepository(started.table, { clock: { now: () => nowMs } });
});
afterAll(() => close());

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
    });

    await images.create(image);

    expect(await images.get(image.id)).toEqual({ ...image, failedImport: ['dcn0', 'dcn1'] });
  });

  test('refuse an id that exists or existed', async () => {
    const image = anImage();
    await images.create(image);
    await expect(images.create(image)).rejects.toMatchObject({ kind: 'Conflict' });

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
    nowMs += 1000;

    const changed = await images.change(image.id, {
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
      updatedAt: new Date(nowMs).toISOString(),
      revision: 1,
    });
  });

  test('leave time and revision alone on a quiet change', async () => {
    const image = anImage({ importingTo: ['a'] });
    await images.create(image);
    nowMs += 1000;

    const changed = await images.change(image.id, { importingTo: { remove: ['a'] }, quiet: true });

    expect(changed).toEqual({ ...image, importingTo: [] });
    expect(await images.change(image.id, { quiet: true })).toEqual(changed);
  });

  test('remove one location and no other', async () => {
    const image = anImage({ locations: [aLocation('central'), aLocation('dcn0')] });
    await images.create(image);

    const changed = await images.change(image.id, { removeLocations: ['dcn0:write-1', 'nowhere:x'] });

    expect(changed.locations.map((location) => location.store)).toEqual(['central']);
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
});
