/** Names of every kind, over HTTP and the client: what a client wrote is what is stored, shown and removed again. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Client, createClient } from '../../api/client.ts';
import { createImagesApi } from '../../functions/api/images/api.ts';
import { createMetadefsApi } from '../../functions/api/metadefs/api.ts';
import { type Listener, listen } from '../../local/front.ts';
import { httpApi } from '../../local/http-api/http-api.ts';
import { BY_NAME, startImagesApi, type TestApi } from '../support/images-api.ts';
import { type MetadefsApi, startMetadefsApi } from '../support/metadefs-api.ts';

let images: TestApi;
let metadefs: MetadefsApi;
const listeners: Listener[] = [];
let client: Client;
let catalog: Client;

beforeAll(async () => {
  [images, metadefs] = await Promise.all([startImagesApi(), startMetadefsApi()]);
  const clientOf = async (handler: Parameters<typeof httpApi>[0]['handler']): Promise<Client> => {
    const listener = await listen(httpApi({ handler }), 0);
    listeners.push(listener);
    return createClient({ baseUrl: `http://127.0.0.1:${listener.port}`, token: () => 'admin' });
  };
  client = await clientOf(createImagesApi(images.deps, { authenticator: BY_NAME }));
  catalog = await clientOf(createMetadefsApi(metadefs.deps, { authenticator: BY_NAME }));
});
afterAll(() => Promise.all([images.close(), metadefs.close(), ...listeners.map((listener) => listener.close())]));

const NAMES = ['50%', '%25', '%2525', '%41', 'a?b', 'a#b', 'a b', 'a+b', 'ü', '%', ':@&=$,;', '...', '"quoted"'];

test('tags of an image', async () => {
  const { value } = await client.createImage({ body: { name: 'x' } });
  const { id } = value;
  for (const tag of NAMES) await client.addTag({ params: { id, tag } });
  const { tags } = await client.showImage({ params: { id } });
  for (const tag of NAMES) await client.deleteTag({ params: { id, tag } });

  expect(tags.toSorted()).toEqual(NAMES.toSorted());
  expect((await client.showImage({ params: { id } })).tags).toEqual([]);
});

test('a slash in a name matches nothing', async () => {
  const { value } = await client.createImage({ body: { name: 'x' } });

  await expect(client.addTag({ params: { id: value.id, tag: 'a/b' } })).rejects.toMatchObject({ kind: 'NotFound' });
});

test.each(NAMES)('namespace, property and tag called %s', async (name) => {
  const params = { namespace: name, name };
  await catalog.createNamespace({ body: { namespace: name } });
  await catalog.createProperty({ params, body: { name, title: 't', type: 'string' } });
  await catalog.createMetadefTag({ params });

  expect(await catalog.showNamespace({ params })).toMatchObject({
    namespace: name,
    properties: { [name]: { title: 't' } },
    tags: [{ name }],
  });
  await catalog.deleteNamespace({ params });
  await expect(catalog.showNamespace({ params })).rejects.toMatchObject({ kind: 'NotFound' });
});
