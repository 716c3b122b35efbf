import { expect, test } from 'vitest';
import { createLookUps } from '../../../../core/identity/look-ups.ts';
import { createImage } from '../../../../core/images/create.ts';
import { patchImage } from '../../../../core/images/patch.ts';
import { callerWith } from '../../../support/caller.ts';
import { memoryDeps } from '../../../support/memory/deps.ts';

const BURST = 60;
const TOO_MANY = { kind: 'TooManyRequests', retryAfterSeconds: 1 };

test('each project has so many look-ups at once, and one more each second', () => {
  let nowMs = 0;
  const lookUps = createLookUps({ now: () => nowMs });
  for (let n = 0; n < BURST; n++) lookUps.spend('p');

  expect(() => lookUps.spend('p')).toThrow(expect.objectContaining(TOO_MANY));
  expect(() => lookUps.spend('q')).not.toThrow();
  nowMs = 1000;
  expect(() => lookUps.spend('p')).not.toThrow();
  expect(() => lookUps.spend('p')).toThrow(expect.objectContaining(TOO_MANY));
});

test('owners that an administrator writes are looked up so often, whether made or given; its own project is not', async () => {
  const asked: (string | null)[] = [];
  const unlimited = { image_size_total: -1, image_stage_total: -1, image_count_total: -1, image_count_uploading: -1 };
  const limits = {
    async of(project: string | null) {
      asked.push(project);
      return unlimited;
    },
  };
  const deps = memoryDeps(
    { use_keystone_limits: true, identity: { mode: 'keystone' }, oslo_limit: { endpoint_id: 'e' } },
    { limits },
  );
  const admin = callerWith({ projectId: 'admin', roles: ['admin'], isAdmin: true });
  const make = (owner: string) => createImage(deps, admin, { owner, properties: {}, computed: [] });
  const own = await make('admin');
  for (let n = 1; n < BURST; n++) await make(`p${n}`);
  const give = (owner: string) =>
    patchImage(deps, admin, own.id, [
      { kind: 'base', op: 'replace', strict: true, name: 'owner', attribute: 'owner', value: owner },
    ]);
  await give('p0');

  asked.length = 0;
  await expect(make('one-more')).rejects.toMatchObject(TOO_MANY);
  await expect(give('one-more')).rejects.toMatchObject(TOO_MANY);
  expect(asked).toEqual([]);
  await expect(make('admin')).resolves.toMatchObject({ owner: 'admin' });
});
