/** What another region's image service sees and gives, over connections: the token goes to it alone, and where it leads is judged. */
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchSource } from '../../bytes/imports/fetch.ts';
import { openStored } from '../../bytes/stored-image.ts';
import { parseConfig } from '../../core/config.ts';
import { importTask } from '../../core/imports/report/import-task.ts';
import { createCatalogPeers } from '../../keystone/catalog.ts';
import { createWeb } from '../../web/web.ts';
import { anImage } from '../support/images.ts';
import { memoryDeps } from '../support/memory/deps.ts';
import { type S3Rig, startPlaces } from '../support/s3-places.ts';
import { aTask } from '../support/tasks.ts';
import { fileAt } from '../support/web-server.ts';

/** As it comes: nothing may lead to addresses or ports like those of the test. */
const CONFIG = { stores: [{ id: 'central', bucket: 'central' }] };
const FILE = randomBytes(100_000);
const REMOTE_ID = '20000000-0000-4000-8000-000000000002';
const DESCRIBED = {
  ...{ id: REMOTE_ID, status: 'active', size: FILE.length, disk_format: 'raw', container_format: 'bare' },
  os_distro: 'debian',
};
let s3: S3Rig;

beforeAll(async () => {
  s3 = await startPlaces(parseConfig(CONFIG));
});
afterAll(() => s3.close());

/** One attempt at the fetch of an image of the service at `endpoint`. */
async function fetched(endpoint: string) {
  const records = memoryDeps(CONFIG, { bytes: s3.places });
  const deps = { ...records, places: s3.places };
  const id = 'task';
  const image = anImage({ diskFormat: 'qcow2', containerFormat: 'bare', lock: id });
  await deps.images.create(image);
  const asked = { region: 'RegionTwo', facing: 'public', remoteImageId: REMOTE_ID };
  const method = { name: 'glance-download', ...asked, endpoint } as const;
  await deps.tasks.create(
    aTask({ id, imageId: image.id, import: { method, stores: ['central'], allStoresMustSucceed: true, roles: [] } }),
  );
  await deps.sourceSecrets.keep(id, 'the-token');
  const tools = { guard: async () => undefined, assertFits: () => undefined };
  await fetchSource(deps, await importTask(deps, id), tools, createWeb(deps.config));
  const { source, sourceDigests } = (await importTask(deps, id)).facts;
  const stored = source && (await openStored(s3.places, source));
  const bytes = Buffer.from((await stored?.read(0, source?.size ?? 0)) ?? []);
  return { bytes, sourceDigests, image: await deps.images.get(image.id) };
}

/** A Glance that wants the token; `file` answers to who asks for the bytes. */
function glance(file: RequestListener = (_, response) => void response.end(FILE)) {
  const asked: [string | undefined, unknown][] = [];
  const listener: RequestListener = (request, response) => {
    asked.push([request.url, request.headers['x-auth-token']]);
    if (request.headers['x-auth-token'] !== 'the-token') return void response.writeHead(401).end();
    if (request.url === `/image/v2/images/${REMOTE_ID}`) return void response.end(JSON.stringify(DESCRIBED));
    if (request.url === `/image/v2/images/${REMOTE_ID}/file`) return file(request, response);
    response.writeHead(404).end();
  };
  return { asked, listener };
}

const at = async (listener: RequestListener, path: string) => new URL(path, await fileAt(listener)).href;

describe('another image service', () => {
  it('is shown the token, at an address that no filter judges', async () => {
    const { asked, listener } = glance();

    const { bytes, sourceDigests, image } = await fetched(await at(listener, '/image'));

    expect(bytes.equals(FILE)).toBe(true);
    expect(sourceDigests?.md5).toBe(createHash('md5').update(FILE).digest('hex'));
    expect(image).toMatchObject({ diskFormat: 'raw', properties: { os_distro: 'debian' } });
    expect(asked).toEqual([
      [`/image/v2/images/${REMOTE_ID}`, 'the-token'],
      [`/image/v2/images/${REMOTE_ID}/file`, 'the-token'],
    ]);
  });

  it('that refuses the token is named', async () => {
    const endpoint = await at((_, response) => void response.writeHead(403).end(), '/');

    await expect(fetched(endpoint.slice(0, -1))).rejects.toThrow(
      `${endpoint}v2/images/${REMOTE_ID} answered 403 Forbidden`,
    );
  });

  it.each([
    ['what is no JSON', '<html>', /answered what is no JSON/],
    ['a list', '[]', /is described without/],
    ['more than a description is', `"${'x'.repeat(2_000_000)}"`, /answered more than 1048576 bytes/],
  ])('that describes the image by %s is named', async (_, text, message) => {
    const endpoint = await at((_request, response) => void response.end(text), '/');

    await expect(fetched(endpoint.slice(0, -1))).rejects.toThrow(message);
  });

  it('that leads elsewhere is followed by the rules of any download, and without the token', async () => {
    const seen: IncomingMessage['headers'][] = [];
    const elsewhere = await fileAt((request, response) => {
      seen.push(request.headers);
      response.end(FILE);
    });
    const { listener } = glance((_, response) => void response.writeHead(302, { location: elsewhere }).end());

    const refused = fetched(await at(listener, '/image'));

    await expect(refused).rejects.toThrow(/redirects to a place that is not allowed: .* port \d+ is not allowed/);
    expect(seen).toEqual([]);
  });

  it('that leads to a place that is allowed shows it no token', async () => {
    const seen: IncomingMessage['headers'][] = [];
    const elsewhere = await fileAt((request, response) => {
      seen.push(request.headers);
      response.end(FILE);
    });
    const uri = await fileAt((_, response) => void response.writeHead(302, { location: elsewhere }).end());
    const filter = { allow_private_addresses: true, allowed_ports: [] };
    const web = createWeb(parseConfig({ ...CONFIG, import_filtering_opts: filter }));
    const trusted = { origin: new URL(uri).origin, headers: { 'x-auth-token': 'the-token' } };

    await web.open({ uri, trusted }, AbortSignal.timeout(60_000));

    expect(seen.map((headers) => headers['x-auth-token'])).toEqual([undefined]);
  });
});

describe('the catalog of an existing Keystone', () => {
  const endpoint = (region: string, facing: string, url: string) => ({ region_id: region, interface: facing, url });
  const CATALOG = [
    { type: 'identity', endpoints: [endpoint('Two', 'public', 'https://two.example.org/identity')] },
    {
      type: 'image',
      endpoints: [
        endpoint('One', 'public', 'https://one.example.org'),
        endpoint('Two', 'internal', 'http://10.0.0.2:9292/v2/'),
        endpoint('Two', 'public', 'https://two.example.org/image/'),
      ],
    },
  ];

  it.each([
    ['Two', 'public', 'https://two.example.org/image'],
    ['Two', 'internal', 'http://10.0.0.2:9292'],
    ['Two', 'admin', undefined],
    ['Three', 'public', undefined],
  ])('has the image service of %s for %s at %s', async (region, facing, expected) => {
    const asked: unknown[] = [];
    const keystone = await at((request, response) => {
      asked.push([request.url, request.headers['x-auth-token']]);
      response.end(JSON.stringify({ catalog: CATALOG }));
    }, '/identity');

    expect(await createCatalogPeers(keystone).imageService('the-token', region, facing)).toBe(expected);
    expect(asked).toEqual([['/identity/v3/auth/catalog', 'the-token']]);
  });

  it('is none for a token without a project', async () => {
    const keystone = await at((_, response) => void response.writeHead(403).end(), '/identity');

    expect(await createCatalogPeers(keystone).imageService('the-token', 'Two', 'public')).toBeUndefined();
  });
});
