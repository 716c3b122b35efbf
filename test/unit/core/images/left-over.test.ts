/** Images that stay queued without bytes: who sees them, and when they go. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Image } from '../../../../core/images/image.ts';
import { listLeftOver } from '../../../../core/images/left-over.ts';
import { janitor } from '../../../../core/janitor/janitor.ts';
import { callerWith } from '../../../support/caller.ts';
import { aLocation, anImage } from '../../../support/images.ts';
import { type ImportRig, importRig } from '../../../support/memory/imports.ts';

const HOUR_MS = 3_600_000;
const ADMIN = callerWith({ isAdmin: true, roles: ['admin'] });
const STAGED = { writeId: 'w', layout: 'plain', size: 1 } as const;

/** Images that did not change for two hours, by name; only the first ones are left over. */
const IMAGES: Readonly<Record<string, Partial<Image>>> = {
  plain: {},
  shared: { visibility: 'shared', owner: 'p2', revision: 3 },
  community: { visibility: 'community', owner: 'p3', hidden: true },
  protected: { protected: true },
  staged: { staged: STAGED },
  kept: { staged: { ...STAGED, kept: { taskId: 't' } } },
  held: { lock: 'task' },
  located: { locations: [aLocation('central')] },
  active: { status: 'active', locations: [aLocation('central')] },
  uploading: { status: 'uploading', lock: 'upload' },
};
const LEFT_OVER = ['plain', 'shared', 'community'];

async function given(config: Readonly<Record<string, unknown>>): Promise<ImportRig> {
  const rig = importRig(config);
  const at = new Date(rig.deps.time.nowMs - 2 * HOUR_MS).toISOString();
  for (const [name, attributes] of Object.entries(IMAGES))
    await rig.deps.images.create(anImage({ name, createdAt: at, updatedAt: at, ...attributes }));
  const now = new Date(rig.deps.time.nowMs).toISOString();
  await rig.deps.images.create(anImage({ name: 'young', createdAt: at, updatedAt: now }));
  return rig;
}

async function names({ deps }: ImportRig): Promise<(string | null)[]> {
  const sort = [{ key: 'id', direction: 'asc' }] as const;
  const everything = {
    project: null,
    isAdmin: true,
    visibility: 'all',
    memberStatus: 'all',
    filters: [],
    sort,
  } as const;
  return (await deps.imageList.page({ ...everything, limit: 100 })).images.map(({ name }) => name);
}

describe('the list', () => {
  let rig: ImportRig;
  beforeEach(async () => {
    rig = await given({});
  });

  test('is of what nobody works on, in pages', async () => {
    const found: (string | null)[] = [];
    let markerId: string | undefined;
    do {
      const page = await listLeftOver(rig.deps, ADMIN, { hours: 1, limit: 2, ...(markerId && { markerId }) });
      found.push(...page.images.map(({ name }) => name));
      markerId = page.next;
    } while (markerId !== undefined);

    expect(found.toSorted()).toEqual(LEFT_OVER.toSorted());
  });

  test('is of a day when nothing says for how long', async () => {
    expect(await listLeftOver(rig.deps, ADMIN, { limit: 100 })).toEqual({ images: [] });
  });

  test('is for administrators, and of markers that exist', async () => {
    await expect(listLeftOver(rig.deps, callerWith(), { limit: 1 })).rejects.toMatchObject({ kind: 'Forbidden' });
    await expect(listLeftOver(rig.deps, ADMIN, { limit: 1, markerId: 'x' })).rejects.toMatchObject({
      kind: 'InvalidInput',
    });
  });
});

describe('the janitor', () => {
  test('removes nothing by default', async () => {
    const rig = await given({});
    const before = await names(rig);

    await janitor(rig.deps);

    expect(await names(rig)).toEqual(before);
  });

  test('removes what is left over for longer than queued_image_ttl, with its members, and looks again every hour', async () => {
    const rig = await given({ queued_image_ttl: 1 });
    const page = await listLeftOver(rig.deps, ADMIN, { limit: 100 });
    const shared = page.images.find(({ name }) => name === 'shared');
    const at = new Date(rig.deps.time.nowMs).toISOString();
    const member = {
      ...{ imageId: shared?.id ?? '', imageCreatedAt: at, project: 'p1', createdAt: at, updatedAt: at },
      status: 'pending',
    } as const;
    await rig.deps.members.create(member);

    await janitor(rig.deps);
    expect(new Set(await names(rig))).toEqual(
      new Set([...Object.keys(IMAGES).filter((name) => !LEFT_OVER.includes(name)), 'young']),
    );
    rig.deps.time.nowMs += HOUR_MS - 1;
    await janitor(rig.deps);
    expect(await rig.deps.members.get(member.imageId, 'p1')).toBeUndefined();
    expect(await names(rig)).toContain('young');
    rig.deps.time.nowMs += 1_001;
    await janitor(rig.deps);

    expect(await names(rig)).not.toContain('young');
  });
});
