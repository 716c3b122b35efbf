/** No door leads into our network, however its place is spelled: each is tried with the one list of test/support/private-places.ts. */
import { lookup } from 'node:dns/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseConfig } from '../../core/config.ts';
import { createWeb } from '../../web/web.ts';
import { collect } from '../support/collect.ts';
import { anImage } from '../support/images.ts';
import { startImagesApi, type TestApi } from '../support/images-api.ts';
import { PRIVATE_ADDRESSES, PRIVATE_HOSTS, PRIVATE_NAMES, privateUrls } from '../support/private-places.ts';
import { fileAt } from '../support/web-server.ts';

vi.mock('node:dns/promises', async (original) => ({ ...(await original<object>()), lookup: vi.fn() }));

/** As it comes, but for ports: the address alone is judged. */
const CONFIG = parseConfig({
  stores: [{ id: 'central', bucket: 'central' }],
  import_filtering_opts: { allowed_ports: [], disallowed_ports: [9] },
});
const WEB = createWeb(CONFIG);
const soon = () => AbortSignal.timeout(60_000);
const REFUSED = /does not pass filtering|is not a public address|no URL/;

let api: TestApi;
beforeAll(async () => {
  api = await startImagesApi({ show_multiple_locations: true });
});
afterAll(() => api.close());
beforeEach(() => void vi.mocked(lookup).mockReset());

/** What the resolver says of every name. */
const resolveTo = (...addresses: string[]) =>
  vi.mocked(lookup).mockResolvedValue(addresses.map((address) => ({ address, family: 4 })) as never);

it('has seventy spellings and more, each once', () => {
  expect(PRIVATE_HOSTS.length).toBeGreaterThanOrEqual(70);
  expect(new Set(PRIVATE_HOSTS).size).toBe(PRIVATE_HOSTS.length);
});

describe('doors of the API', () => {
  it('web-download', async () => {
    const image = anImage({ diskFormat: 'raw', containerFormat: 'bare' });
    await api.deps.images.create(image);
    for (const uri of privateUrls()) {
      const body = { method: { name: 'web-download', uri } };
      const answer = await api.call('POST', `/v2/images/${image.id}/import`, { as: 'demo', body });
      expect([answer.status, uri]).toEqual([400, uri]);
    }
    expect(await api.deps.tasks.listByImage(image.id)).toEqual([]);
  });

  it('the legacy task', async () => {
    for (const uri of privateUrls()) {
      const input = { import_from: uri, import_from_format: 'raw', image_properties: { name: 'x' } };
      const answer = await api.call('POST', '/v2/tasks', { as: 'admin', body: { type: 'import', input } });
      expect([answer.status, uri]).toEqual([400, uri]);
    }
  });

  it('locations, by either way', async () => {
    const image = anImage({ diskFormat: 'raw', containerFormat: 'bare' });
    await api.deps.images.create(image);
    const path = `/v2/images/${image.id}`;
    for (const url of privateUrls().flatMap((uri) => [
      uri,
      uri.replace('http', 'swift+http'),
      uri.replace('http', 's3'),
    ])) {
      const added = await api.call('POST', `${path}/locations`, { as: 'nova', body: { url } });
      const body = [{ op: 'add', path: '/locations/-', value: { url, metadata: {} } }];
      const headers = { 'content-type': 'application/openstack-images-v2.1-json-patch' };
      const patched = await api.call('PATCH', path, { as: 'admin', body, headers });
      expect([added.status, patched.status, url]).toEqual([400, 400, url]);
    }
    expect((await api.deps.images.get(image.id))?.locations).toEqual([]);
  });
});

/** As our parser reads them; what that reads as a public place leads there, and is refused only where a person wrote it. */
const LEADING = privateUrls().filter((uri) => !['87.0.0.1', 'example.org'].includes(URL.parse(uri)?.hostname ?? ''));

describe('what a server or a resolver answers', () => {
  it('a redirect, the first or the third', async () => {
    let location = '';
    const start = await fileAt(({ url = '' }, response) => {
      const left = Number(/left=(\d)/.exec(url)?.[1] ?? 0);
      response.writeHead(302, { location: left > 0 ? `/?left=${left - 1}` : location }).end();
    });
    const { origin } = new URL(start);
    for (const hops of [0, 2])
      for (const uri of LEADING) {
        // As a header can carry it.
        location = uri.replace(/[^ -~]/gu, encodeURIComponent);
        const opened = WEB.open({ uri: `${origin}/?left=${hops}`, trusted: { origin, headers: {} } }, soon());
        await expect(opened, uri).rejects.toThrow(REFUSED);
      }
    expect(lookup).not.toHaveBeenCalled();
  });

  it('a redirect of one part of a download', async () => {
    const file = Buffer.alloc(100_000, 'x');
    const headers = { etag: '"v1"', 'accept-ranges': 'bytes' };
    let location = '';
    const start = await fileAt((request, response) => {
      if (request.headers.range !== undefined) return void response.writeHead(302, { location }).end();
      response.writeHead(200, { ...headers, 'content-length': file.length }).write(file.subarray(0, 10));
    });
    const { origin } = new URL(start);
    for (const host of ['127.0.0.1', '169.254.169.254', '[::1]', '[::ffff:a9fe:a9fe]']) {
      location = `http://${host}/x`;
      const controller = new AbortController();
      const { ranges } = await WEB.open({ uri: start, trusted: { origin, headers: {} } }, controller.signal);
      if (ranges === undefined) throw new Error('the server gives parts');
      await expect(collect(ranges.read(50_000, 60_000)), host).rejects.toThrow(REFUSED);
      controller.abort();
    }
    expect.assertions(4);
  });

  it.each(PRIVATE_ADDRESSES)('a name that resolves to %s, alone or beside a public address', async (address) => {
    for (const addresses of [[address], ['93.184.216.34', address]]) {
      resolveTo(...addresses);
      await expect(WEB.open({ uri: 'http://example.org/x' }, soon())).rejects.toThrow(
        'example.org resolves to what is not a public address',
      );
    }
  });

  it.each(PRIVATE_NAMES)('%s as the machine knows it', async (name) => {
    const { lookup: real } = await vi.importActual<typeof import('node:dns/promises')>('node:dns/promises');
    vi.mocked(lookup).mockImplementation(real as never);

    await expect(WEB.open({ uri: `http://${name}/x` }, soon())).rejects.toThrow(
      /not a public address|ENOTFOUND|EAI_AGAIN/,
    );
  });

  it('an origin of the operator’s that was left is not trusted again', async () => {
    const tokens: unknown[] = [];
    const start = await fileAt((request, response) => {
      tokens.push(request.headers['x-auth-token']);
      response.end('never');
    });
    const { origin } = new URL(start);
    const elsewhere = await fileAt((_, response) => void response.writeHead(302, { location: start }).end());
    const first = await fileAt((_, response) => void response.writeHead(302, { location: elsewhere }).end());
    const open = createWeb(
      parseConfig({
        stores: [{ id: 'central', bucket: 'central' }],
        import_filtering_opts: { allow_private_addresses: true, allowed_ports: [], disallowed_ports: [9] },
      }),
    );
    const leaving = { uri: first, trusted: { origin, headers: { 'x-auth-token': 'secret' } } };

    await open.open(leaving, soon());

    expect(tokens).toEqual([undefined]);
  });
});
