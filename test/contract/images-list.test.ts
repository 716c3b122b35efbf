import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Image } from '../../core/images/image.ts';
import { anImage } from '../support/images.ts';
import { type CallerName, startImagesApi, type TestApi } from '../support/images-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startImagesApi();
});
afterAll(() => api.close());

const list = (query: string, as: CallerName = 'demo') => api.call('GET', `/v2/images${query}`, { as });
const names = async (query: string, as: CallerName = 'demo') => {
  const answer = await list(query, as);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.images.map((image: { name: string }) => image.name);
};
let second = 0;
const put = async (attributes: Partial<Image>) => {
  const at = new Date(Date.parse('2026-01-01T00:00:00Z') + 1000 * second++).toISOString();
  const image = anImage({ createdAt: at, updatedAt: at, ...attributes });
  await api.deps.images.create(image);
  return image;
};
const share = async (image: Image, project: string, status: 'pending' | 'accepted' | 'rejected') => {
  const { createdAt } = image;
  await api.deps.members.create({
    imageId: image.id,
    project,
    status,
    imageCreatedAt: createdAt,
    createdAt,
    updatedAt: createdAt,
  });
};

describe('which images a list holds', () => {
  beforeAll(async () => {
    for (const visibility of ['private', 'shared', 'community', 'public'] as const) {
      await put({ name: `demo-${visibility}`, visibility, owner: 'demo' });
      await put({ name: `alt-${visibility}`, visibility, owner: 'alt' });
    }
    await put({ name: 'nobody-public', visibility: 'public', owner: null });
    await put({ name: 'nobody-shared', visibility: 'shared', owner: null });
    await put({ name: 'hidden', owner: 'demo', hidden: true });
    for (const status of ['pending', 'accepted', 'rejected'] as const)
      await share(await put({ name: `offered-${status}`, owner: 'third' }), 'demo', status);
    await share(await put({ name: 'was-shared', owner: 'third', visibility: 'private' }), 'demo', 'accepted');
  });

  const publics = ['alt-public', 'demo-public', 'nobody-public'];
  const owned = ['demo-community', 'demo-private', 'demo-public', 'demo-shared'];
  const union = (...lists: string[][]) => [...new Set(lists.flat())].sort();
  test.each<[string, CallerName, string[]]>([
    ['', 'demo', union(publics, owned, ['offered-accepted'])],
    ['?member_status=all', 'demo', union(publics, owned, ['offered-accepted', 'offered-pending', 'offered-rejected'])],
    ['?member_status=pending', 'demo', union(publics, owned, ['offered-pending'])],
    ['?visibility=public', 'demo', publics],
    ['?visibility=private', 'demo', ['demo-private']],
    ['?visibility=shared', 'demo', ['demo-shared', 'offered-accepted']],
    ['?visibility=shared&member_status=rejected', 'demo', ['demo-shared', 'offered-rejected']],
    ['?visibility=community', 'demo', ['alt-community', 'demo-community']],
    ['?visibility=all', 'demo', union(publics, owned, ['alt-community', 'offered-accepted'])],
    ['?os_hidden=TRUE', 'demo', ['hidden']],
    ['?owner=alt', 'demo', ['alt-public']],
    ['?owner=demo&visibility=public', 'alt', ['demo-public']],
    ['?owner=third', 'demo', ['offered-accepted']],
    ['?visibility=private', 'admin', ['alt-private', 'demo-private', 'was-shared']],
    ['?visibility=community', 'admin', ['alt-community', 'demo-community']],
    ['?owner=alt', 'admin', ['alt-private', 'alt-public', 'alt-shared']],
    ['?owner=alt&visibility=all', 'admin', ['alt-community', 'alt-private', 'alt-public', 'alt-shared']],
    ['?member_status=pending&name=offered-pending', 'demo', ['offered-pending']],
    ['?name=in:demo-shared,alt-public', 'demo', ['alt-public', 'demo-shared']],
    ['?name=nobody-shared', 'demo', []],
    ['?name=alt-private', 'demo', []],
    ['?name=alt-private', 'admin', ['alt-private']],
  ])('%s as %s', async (query, as, expected) => {
    for (const order of ['', 'sort_key=name&sort_dir=asc', 'sort=size:asc']) {
      const joined = order === '' ? query : `${query === '' ? '?' : `${query}&`}${order}`;
      expect((await names(joined, as)).sort()).toEqual([...expected].sort());
    }
  });

  test('an admin sees everything but the community images of others', async () => {
    const seen = await names('?limit=100', 'admin');
    expect(seen).toHaveLength(12);
    expect(seen).not.toContain('alt-community');
    expect(await names('?limit=100&visibility=all', 'admin')).toHaveLength(14);
  });

  test('a token without a project may not list', async () => {
    expect((await list('', 'unscoped')).status).toBe(403);
  });
});

describe('order and pages', () => {
  const marked = 'run=order';
  const all: string[] = [];
  beforeAll(async () => {
    for (let n = 0; n < 40; n++) {
      const visibility = (['public', 'private', 'shared', 'community'] as const)[n % 4] ?? 'public';
      const owner = n % 3 === 0 ? 'demo' : 'alt';
      const image = await put({
        name: n % 10 === 0 ? null : `n${(n * 7) % 13}`,
        owner,
        visibility,
        size: n % 5 === 0 ? null : (n * 11) % 17,
        diskFormat: n % 2 === 0 ? 'raw' : 'qcow2',
        properties: { run: 'order' },
      });
      const mine = owner === 'demo' || visibility === 'public';
      if (visibility === 'shared' && owner === 'alt') await share(image, 'demo', 'accepted');
      if (mine || visibility === 'shared') all.push(image.id);
    }
  });

  const walk = async (query: string, limit: number) => {
    const seen: { id: string; name: string | null; size: number | null; created_at: string; disk_format: string }[] =
      [];
    let path: string | undefined = `?${marked}&limit=${limit}${query}`;
    let pages = 0;
    while (path !== undefined && pages++ < 100) {
      const { status, body, text } = await list(path);
      expect(status, text).toBe(200);
      expect(body.images.length).toBeLessThanOrEqual(limit);
      seen.push(...body.images);
      expect(body.first).toBe(`/v2/images?${marked}&limit=${limit}${query}`);
      path = (body.next as string | undefined)?.replace('/v2/images', '');
    }
    return seen;
  };

  test.each([
    ['', (a: never, b: never) => order(b, a, 'created_at', 'id')],
    ['&sort_key=created_at&sort_dir=asc', (a: never, b: never) => order(a, b, 'created_at', 'id')],
    ['&sort_key=name&sort_dir=asc', (a: never, b: never) => order(a, b, 'name', 'created_at', 'id')],
    ['&sort=name%3Adesc', (a: never, b: never) => order(b, a, 'name', 'created_at', 'id')],
    ['&sort_key=size&sort_dir=asc', (a: never, b: never) => order(a, b, 'size', 'created_at', 'id')],
    ['&sort_key=size&sort_dir=desc', (a: never, b: never) => order(b, a, 'size', 'created_at', 'id')],
    [
      '&sort=disk_format%3Aasc%2Cname%3Adesc',
      (a: never, b: never) => order(a, b, 'disk_format') || order(b, a, 'name', 'created_at', 'id'),
    ],
    [
      '&sort_key=disk_format&sort_key=size&sort_dir=desc&sort_dir=asc',
      (a: never, b: never) => order(b, a, 'disk_format') || order(a, b, 'size') || order(b, a, 'created_at', 'id'),
    ],
  ])('%s: pages of every size give the same whole', async (query, compare) => {
    for (const limit of [1, 7, 100]) {
      const seen = await walk(query, limit);
      expect(seen.map((image) => image.id).sort()).toEqual([...all].sort());
      expect(seen).toEqual([...seen].sort(compare as never));
    }
  });

  function order(a: Record<string, unknown>, b: Record<string, unknown>, ...keys: string[]): number {
    for (const key of keys) {
      const [x, y] = [a[key] as string | null, b[key] as string | null];
      if (x === y) continue;
      if (x === null) return -1;
      return y === null || x > y ? 1 : -1;
    }
    return 0;
  }

  test('next is there exactly when the page is full, limit=0 is empty, a large limit is clamped silently', async () => {
    const full = await list(`?${marked}&limit=${all.length}`);
    expect(full.body.next).toContain('marker=');
    expect((await list(full.body.next.replace('/v2/images', ''))).body).toEqual({
      images: [],
      first: `/v2/images?${marked}&limit=${all.length}`,
      schema: '/v2/schemas/images',
    });
    expect((await list(`?${marked}&limit=${all.length + 1}`)).body).not.toHaveProperty('next');
    expect((await list('?limit=0')).body).toMatchObject({ images: [] });
    expect((await list('?limit=0')).body).not.toHaveProperty('next');
    expect((await list(`?${marked}&limit=5000`)).body.images).toHaveLength(all.length);
  });

  test('links repeat every parameter', async () => {
    const { body } = await list('?limit=1&tag=a&tag=b&sort_key=name&sort_key=size&x=%C3%BC%20y');
    expect(body.first).toBe('/v2/images?limit=1&tag=a&tag=b&sort_key=name&sort_key=size&x=%C3%BC+y');
  });

  test('a page goes on after an image that was renamed or removed meanwhile', async () => {
    const first = (await list(`?${marked}&limit=5`)).body;
    const [renamed, removed] = first.images.map(({ id }: { id: string }) => id);
    await api.deps.images.change(renamed, { set: { name: 'zzz' } });
    await api.deps.images.delete(removed);
    all.splice(all.indexOf(removed), 1);
    const newer = await put({ name: 'newer', properties: { run: 'order' } });
    const rest = await list(first.next.replace('/v2/images', ''));
    expect(rest.body.images.map((image: { id: string }) => image.id)).not.toContain(newer.id);
    expect(first.images.at(-1).id).not.toBe(rest.body.images[0].id);
    await api.deps.images.delete(newer.id);
  });

  test.each(['', '&sort_key=name&sort_dir=asc', '&sort_key=size&sort_dir=asc'])(
    'while others come and go, every image that stays is listed once %s',
    async (order) => {
      const passing: Image[] = [];
      const seen: string[] = [];
      let path: string | undefined = `?${marked}&limit=3${order}`;
      for (let page = 0; path !== undefined; page++) {
        passing.push(await put({ name: `n${page}`, size: page, properties: { run: 'order' } }));
        const gone = page % 2 === 0 ? undefined : passing.shift();
        if (gone !== undefined) await api.deps.images.delete(gone.id);
        const { body } = await list(path);
        seen.push(...body.images.map(({ id }: { id: string }) => id));
        path = (body.next as string | undefined)?.replace('/v2/images', '');
        // A marker must be there; what was listed last is one of those that stay.
        if (body.images.length > 0 && !all.includes(body.images.at(-1).id)) {
          const last = passing.findIndex(({ id }) => id === body.images.at(-1).id);
          if (last >= 0) passing.splice(last, 1);
        }
      }

      const stayed = seen.filter((id) => all.includes(id));
      expect(stayed.toSorted()).toEqual(all.toSorted());
      expect(new Set(seen).size).toBe(seen.length);
      for (const { id } of await leftOver()) await api.deps.images.delete(id);
    },
  );
  /** What the test above has not removed itself. */
  const leftOver = async (): Promise<{ id: string }[]> =>
    (await list(`?${marked}&limit=500`)).body.images.filter(({ id }: { id: string }) => !all.includes(id));

  test('a page of large images is cut with next', async () => {
    const large = Object.fromEntries([1, 2, 3, 4].map((n) => [`p${n}`, '"'.repeat(60_000)]));
    for (let n = 0; n < 12; n++) await put({ owner: 'third', visibility: 'private', properties: large });
    const first = await list('?limit=100', 'third');
    expect(Buffer.byteLength(first.text)).toBeLessThan(5 * 1024 ** 2);
    expect(first.body.next).toContain('limit=100');
    let count = first.body.images.length;
    for (let next = first.body.next; next !== undefined; ) {
      const page = (await list(next.replace('/v2/images', ''), 'third')).body;
      count += page.images.filter((image: { p1?: string }) => image.p1).length;
      next = page.next;
    }
    expect(count).toBe(12);
  });

  test('the default page is 25 images, the newest first', async () => {
    const newest = await put({ name: 'the newest', owner: 'demo' });
    const { body } = await list('');
    expect(body.images).toHaveLength(25);
    expect(body.images[0].id).toBe(newest.id);
  });
});

describe('filters', () => {
  beforeAll(async () => {
    await put({
      name: 'one, two',
      status: 'active',
      diskFormat: 'qcow2',
      containerFormat: 'bare',
      size: 100,
      minRam: 5,
      checksum: 'c1',
      tags: ['f', 'x'],
      protected: true,
      properties: { run: 'filters', color: 'red' },
      createdAt: '2026-03-01T10:00:00.500Z',
      updatedAt: '2026-03-02T10:00:00.500Z',
    });
    await put({
      name: 'foo:bar',
      diskFormat: 'raw',
      size: 200,
      tags: ['f'],
      properties: { run: 'filters', color: 'blue', size_note: 'x' },
      createdAt: '2026-03-05T10:00:00.000Z',
      updatedAt: '2026-03-05T10:00:00.000Z',
    });
  });

  test.each<[string, string[]]>([
    ['tag=f&tag=x', ['one, two']],
    ['tag=f', ['foo:bar', 'one, two']],
    ['protected=true', ['one, two']],
    ['protected=false', ['foo:bar']],
    ['name=eq:foo:bar', ['foo:bar']],
    ['name=in:"one, two",zzz', ['one, two']],
    ['name=in:"one, two","foo:bar"', ['foo:bar', 'one, two']],
    ['status=active', ['one, two']],
    ['status=in:active,queued', ['foo:bar', 'one, two']],
    ['disk_format=in:raw', ['foo:bar']],
    ['container_format=bare', ['one, two']],
    ['size=100', ['one, two']],
    ['size_min=150', ['foo:bar']],
    ['size_max=150', ['one, two']],
    ['min_ram_min=5', ['one, two']],
    ['checksum=c1', ['one, two']],
    ['color=red', ['one, two']],
    ['color=RED', []],
    ['nonsense=1', []],
    ['locations=1', []],
    ['deleted=true', ['foo:bar', 'one, two']],
    ['created_at=2026-03-01T10:00:00Z', ['one, two']],
    ['created_at=gt:2026-03-01T10:00:00Z', ['foo:bar']],
    ['created_at=gte:2026-03-01T10:00:00Z', ['foo:bar', 'one, two']],
    ['created_at=lt:2026-03-05', ['one, two']],
    ['updated_at=neq:2026-03-05T10:00:00Z', ['one, two']],
    ['updated_at=lte:2026-03-05T12:00:00%2B02:00', ['foo:bar', 'one, two']],
  ])('%s', async (filter, expected) => {
    expect((await names(`?run=filters&${filter}`)).sort()).toEqual(expected);
  });

  test('ids show only what the list would show', async () => {
    const offered = await put({ owner: 'third', name: 'offered by id' });
    const secret = await put({ owner: 'third', visibility: 'private' });
    const community = await put({ owner: 'third', visibility: 'community', name: 'community by id' });
    const ids = `id=in:${offered.id},${secret.id},${community.id}`;
    expect(await names(`?${ids}`)).toEqual([]);
    await share(offered, 'demo', 'accepted');
    expect(await names(`?${ids}`)).toEqual(['offered by id']);
    expect((await names(`?${ids}&visibility=all`)).sort()).toEqual(['community by id', 'offered by id']);
    expect(await names(`?${ids}&name=other`)).toEqual([]);
    expect(await names('?id=')).toEqual([]);
  });

  test('find one image among its ids', async () => {
    const image = await put({ name: 'by id' });
    expect(await names(`?id=${image.id}`)).toEqual(['by id']);
    expect(await names(`?id=in:${image.id},${randomUUID()}`)).toEqual(['by id']);
  });

  test.each([
    'limit=-1',
    'limit=x',
    'marker=00000000-0000-4000-8000-000000000000',
    'marker=',
    'sort_key=owner',
    'sort_key=name&sort_dir=up',
    'sort_key=name&sort_dir=asc&sort_dir=desc',
    'sort=name&sort_key=name',
    'sort=name:asc:desc',
    'visibility=open',
    'member_status=maybe',
    'os_hidden=1',
    'protected=TRUE',
    'name=foo:bar',
    'name=in:"a',
    'name=in:"a"b',
    'created_at=after:2026-01-01',
    'created_at=yesterday',
    'created_at=gt:2026-13-01',
    'size_min=x',
    'foo_min=3',
    'size=many',
    'changes-since=2026-01-01',
  ])('refuse %s', async (query) => {
    expect((await list(`?${query}`)).status).toBe(400);
  });

  test('a marker that the caller may not see is forbidden', async () => {
    const image = await put({ visibility: 'private', owner: 'alt' });
    expect((await list(`?marker=${image.id}`)).status).toBe(403);
  });
});
