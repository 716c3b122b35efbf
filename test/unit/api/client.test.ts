import { build } from 'esbuild';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { type Client, createClient } from '../../../api/client.ts';
import type { ImageAnswer } from '../../../api/images/answers.ts';
import type { PatchDocument } from '../../../api/images/patch-body.ts';
import type { TaskAnswer } from '../../../api/tasks/answers.ts';
import type { TooManyRequests, UnsupportedMedia } from '../../../core/errors.ts';

/** A client whose requests end here; every one gets the same answer. */
function clientOf(answer: () => Response, more: { identityUrl?: string } = {}) {
  const sent: { url: string; init: RequestInit }[] = [];
  const fetch = async (url: string | URL | Request, init: RequestInit = {}) => {
    sent.push({ url: String(url), init });
    return answer();
  };
  return { sent, client: createClient({ baseUrl: 'http://glimpse', token: () => 'secret', fetch, ...more }) };
}
const json = (value: unknown, init?: ResponseInit) => () => Response.json(value, init);
const nothing = () => new Response(null, { status: 204 });

describe('a call', () => {
  test('fills the path, asks with the token, gives the answer', async () => {
    const { client, sent } = clientOf(json({ id: 'a' }));

    expect(await client.showImage({ params: { id: 'a' } })).toEqual({ id: 'a' });
    expect(sent).toMatchObject([
      { url: 'http://glimpse/v2/images/a', init: { method: 'GET', headers: { 'x-auth-token': 'secret' } } },
    ]);
    expect(sent[0]?.init.body).toBeUndefined();
  });

  test.each([
    ['a/b', 'a%2Fb'],
    ['50%', '50%25'],
    ['%25', '%2525'],
    ['a?b#c', 'a%3Fb%23c'],
    ['ü', '%C3%BC'],
    ['...', '...'],
  ])('writes the segment %s as %s', async (tag, segment) => {
    const { client, sent } = clientOf(nothing);
    await client.addTag({ params: { id: 'a', tag } });

    expect(sent[0]?.url).toBe(`http://glimpse/v2/images/a/tags/${segment}`);
  });

  test.each(['', '.', '..'])('refuses the segment "%s", which no URL holds', async (tag) => {
    const { client, sent } = clientOf(nothing);

    await expect(client.addTag({ params: { id: 'a', tag } })).rejects.toMatchObject({ kind: 'InvalidInput' });
    expect(sent).toEqual([]);
  });

  test('repeats a parameter for each of its values and leaves out what is undefined', async () => {
    const { client, sent } = clientOf(json({ images: [] }));
    await client.listImages({ query: { limit: 2, sort_key: ['name', 'id'], marker: undefined, os_distro: 'a b&c' } });

    expect(sent[0]?.url).toBe('http://glimpse/v2/images?limit=2&sort_key=name&sort_key=id&os_distro=a+b%26c');
  });

  test('sends JSON, or the type that is given', async () => {
    const { client, sent } = clientOf(json({}));
    await client.addMember({ params: { id: 'a' }, body: { member: 'p' } });
    await client.patchImage({
      params: { id: 'a' },
      headers: { 'content-type': 'application/openstack-images-v2.1-json-patch' },
      body: [{ op: 'remove', path: '/x' }],
    });

    expect(sent[0]?.init).toMatchObject({ body: '{"member":"p"}', headers: { 'content-type': 'application/json' } });
    expect(sent[1]?.init.headers).toMatchObject({ 'content-type': 'application/openstack-images-v2.1-json-patch' });
  });

  test('gives the headers that its row names', async () => {
    const { client } = clientOf(
      json({ self: '/v2/tasks/t' }, { status: 201, headers: { location: 'http://x', other: 'y' } }),
    );

    expect(await client.createTask({ body: { type: 'import', input: {} } })).toEqual({
      value: { self: '/v2/tasks/t' },
      headers: { location: 'http://x' },
    });
  });

  test('streams bytes up and down', async () => {
    const { client, sent } = clientOf(() => new Response('bytes'));
    const body = new Blob(['up']).stream();
    await client.uploadImage({ params: { id: 'a' }, body });
    const down = await client.downloadImage({ params: { id: 'a' }, query: { prefer: 'central' } });

    expect(sent[0]?.init).toMatchObject({
      body,
      duplex: 'half',
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect(await new Response(down).text()).toBe('bytes');
  });

  test('asks identity where it is, without a token for what takes none', async () => {
    const { client, sent } = clientOf(json({ version: {} }), { identityUrl: 'https://keystone:5000' });
    await client.showIdentityVersion();
    await client.listProjects();

    expect(sent.map(({ url }) => url)).toEqual(['https://keystone:5000/v3', 'https://keystone:5000/v3/projects']);
    expect(sent[0]?.init.headers).not.toHaveProperty('x-auth-token');
  });

  test('takes the success that its row says, whatever its class', async () => {
    const { client } = clientOf(json({ versions: { values: [] } }, { status: 300, headers: { location: 'l' } }));

    expect(await client.listIdentityVersions()).toMatchObject({ headers: { location: 'l' } });
  });
});

describe('an error', () => {
  test.each([
    [400, 'InvalidInput'],
    [401, 'Unauthenticated'],
    [403, 'Forbidden'],
    [404, 'NotFound'],
    [405, 'MethodNotAllowed'],
    [409, 'Conflict'],
    [410, 'Gone'],
    [413, 'LimitExceeded'],
    [415, 'UnsupportedMedia'],
    [416, 'RangeNotSatisfiable'],
    [418, 'InvalidInput'],
    [429, 'TooManyRequests'],
    [431, 'HeaderTooLarge'],
    [500, 'BackendUnavailable'],
    [501, 'NotImplemented'],
    [502, 'BackendUnavailable'],
    [503, 'BackendUnavailable'],
  ])('of status %i is %s', async (status, kind) => {
    const { client } = clientOf(json({ error: { code: status, message: 'said' } }, { status }));

    await expect(client.showImage({ params: { id: 'a' } })).rejects.toMatchObject({
      kind,
      message: `GET /v2/images/a: ${status}: said`,
    });
  });

  test.each([
    [
      '<html><head><title>404 Not Found</title></head><body><h1>No  such</h1> thing</body></html>',
      '404 Not Found No such thing',
    ],
    ['plain\n text', 'plain text'],
    ['"a string"', '"a string"'],
    ['null', 'null'],
    ['{"error":{"message":7}}', '{"error":{"message":7}}'],
  ])('of the form %s says what it said', async (text, said) => {
    const { client } = clientOf(() => new Response(text, { status: 404 }));

    await expect(client.showUsage()).rejects.toThrow(`GET /v2/info/usage: 404: ${said}`);
  });

  test('has what its headers say', async () => {
    const busy = clientOf(() => new Response('', { status: 429, headers: { 'retry-after': '7' } }));
    const patch = clientOf(() => new Response('', { status: 415, headers: { 'accept-patch': 'a, b' } }));
    const method = clientOf(() => new Response('', { status: 405, headers: { allow: 'GET, PUT' } }));

    await expect(busy.client.showUsage()).rejects.toSatisfy((e: TooManyRequests) => e.retryAfterSeconds === 7);
    await expect(patch.client.showUsage()).rejects.toSatisfy((e: UnsupportedMedia) => e.acceptPatch === 'a, b');
    await expect(method.client.showUsage()).rejects.toMatchObject({ allow: ['GET', 'PUT'] });
  });
});

test('calls and answers have the types of their rows', () => {
  expectTypeOf<Client['showImage']>().parameters.toEqualTypeOf<[call: { readonly params: { readonly id: string } }]>();
  expectTypeOf<Client['showImage']>().returns.resolves.toEqualTypeOf<ImageAnswer>();
  expectTypeOf<Client['createTask']>().returns.resolves.toMatchTypeOf<{
    readonly value: TaskAnswer;
    readonly headers: { location: string };
  }>();
  expectTypeOf<Client['deleteImage']>().returns.resolves.toEqualTypeOf<void>();
  expectTypeOf<Client['downloadImage']>().returns.resolves.toEqualTypeOf<ReadableStream<Uint8Array>>();
  expectTypeOf<Parameters<Client['patchImage']>[0]['body']>().toEqualTypeOf<PatchDocument>();
  expectTypeOf<Parameters<Client['deleteImage']>[0]>().not.toHaveProperty('body');
  expectTypeOf<Parameters<Client['deleteImage']>[0]>().not.toHaveProperty('query');
  expectTypeOf<Parameters<Client['dissociateResourceType']>[0]['params']>().toEqualTypeOf<{
    readonly namespace: string;
    readonly resource_type: string;
  }>();
  expectTypeOf<Client['listNamespaces']>().toBeCallableWith();
  expectTypeOf<Client['listTasks']>().toBeCallableWith({ query: { status: 'success' } });
  // @ts-expect-error a parameter that no row reads
  expectTypeOf<Client['listTasks']>().toBeCallableWith({ query: { colour: 'red' } });
  // @ts-expect-error the path needs an id
  expectTypeOf<Client['showImage']>().toBeCallableWith({ params: {} });
});

test('runs where there is no Node', async () => {
  const entry = new URL('../../../api/client.ts', import.meta.url).pathname;
  const options = { bundle: true, platform: 'browser', format: 'esm', write: false } as const;
  const whole = await build({ ...options, entryPoints: [entry] });
  const ours = await build({ ...options, entryPoints: [entry], packages: 'external' });

  expect(whole.warnings).toEqual([]);
  expect(ours.outputFiles[0]?.text).not.toMatch(/\bBuffer\b|\bprocess\b|"node:/);
});
