import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROUTES } from '../../api/routes.ts';
import { startImagesApi, type TestApi } from '../support/images-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startImagesApi({ cors_allowed_origins: ['https://console.example.org'] });
});
afterAll(() => api.close());

describe('before authentication', () => {
  test.each([
    ['GET', '/versions', 200],
    ['GET', '/', 300],
    ['POST', '/', 300],
    ['GET', '/v1/images', 300],
    ['GET', '/v9/images', 300],
    ['GET', '/v2.16/images', 300],
    ['GET', '/foo', 300],
  ])('%s %s lists the versions: %i', async (method, path, status) => {
    const answer = await api.call(method, path);

    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.headers).not.toHaveProperty('x-openstack-request-id');
    const { versions } = answer.body;
    expect(versions.filter((version: { status: string }) => version.status === 'CURRENT')).toHaveLength(1);
    expect(versions.at(-1)).toEqual({
      id: 'v2.0',
      status: 'SUPPORTED',
      links: [{ rel: 'self', href: 'http://glimpse.example.org/v2/' }],
    });
  });

  test.each([
    ['GET', undefined, 200, /^OK$/],
    ['GET', 'application/json', 200, /^\{"detailed":false,"reasons":\["OK"\]\}$/],
    ['GET', 'text/html', 200, /<h1>OK</],
    ['HEAD', undefined, 204, /^$/],
  ])('%s /healthcheck with Accept %s', async (method, accept, status, body) => {
    const answer = await api.call(method, '/healthcheck', accept === undefined ? {} : { headers: { accept } });
    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(body);
  });

  test('OPTIONS is answered everywhere, with CORS headers for allowed origins only', async () => {
    const allowed = await api.call('OPTIONS', '/v2/anything', { headers: { origin: 'https://console.example.org' } });
    const other = await api.call('OPTIONS', '/v2/images', { headers: { origin: 'https://elsewhere' } });

    expect(allowed.status).toBe(200);
    expect(allowed.text).toBe('');
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': 'https://console.example.org',
      'access-control-allow-methods': 'GET,PUT,POST,DELETE,PATCH',
    });
    expect(other.headers).toEqual({});
  });

  test('answers to an allowed origin say what a page may read of them, errors too', async () => {
    for (const as of ['demo', undefined] as const) {
      const { headers } = await api.call('GET', '/v2/images', {
        as,
        headers: { origin: 'https://console.example.org' },
      });
      expect(headers).toMatchObject({
        'access-control-allow-origin': 'https://console.example.org',
        'access-control-expose-headers': expect.stringContaining('X-OpenStack-Request-ID'),
        vary: 'Origin',
      });
    }
  });

  test('a 401 names the identity service and shows no request id', async () => {
    for (const path of ['/v2/images', '/v2/unknown', '/v2']) {
      const answer = await api.call('GET', path, { headers: { 'x-auth-token': 'bad' } });
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Keystone uri="http://glimpse.example.org/identity"');
      expect(answer.headers).not.toHaveProperty('x-openstack-request-id');
    }
  });
});

describe('routing', () => {
  test.each([
    ['GET', '/v2', 302],
    ['GET', '/v2/', 404],
    ['GET', '/v2/images/', 404],
    ['DELETE', '/v2/images/', 404],
    ['GET', '/v2/unknown', 404],
    ['GET', '/v2/images/x/tags/a%2Fb', 404],
    ['PUT', '/v2/info/usage', 404],
    ['POST', '/v2/images/x/tasks', 404],
    ['GET', '/v2.7/images', 200],
    ['GET', '/v2.13/images', 200],
  ])('%s %s: %i', async (method, path, status) => {
    expect((await api.call(method, path, { as: 'demo' })).status).toBe(status);
  });

  test.each([
    ['FOO', '/v2/images', 405],
    ['FOO', '/v2/info/usage', 501],
    ['FOO', '/v2/unknown', 501],
  ])('the unknown method %s %s: %i', async (method, path, status) => {
    expect((await api.call(method, path, { as: 'demo' })).status).toBe(status);
  });

  test.each(['/v2/images', '/v2/tasks', '/v2/info/usage', '/v2/schemas/task'])(
    'GET %s does not mind a body',
    async (path) => {
      expect((await api.call('GET', path, { as: 'admin', body: {} })).status).toBe(200);
    },
  );

  test('a path without version takes it from Accept', async () => {
    const headers = { accept: 'application/vnd.openstack.images-v2.7' };
    expect((await api.call('GET', '/images', { as: 'demo', headers })).status).toBe(200);
  });

  test.each([
    ['HEAD', '/v2/images', 'POST, GET'],
    ['PUT', '/v2/images/x', 'GET, PATCH, DELETE'],
    ['POST', '/v2/images/x/file', 'GET, PUT'],
    ['TRACE', '/v2/schemas/image', 'GET'],
    ['DELETE', '/v2/tasks/x', 'GET'],
    ['PUT', '/v2/tasks/x', 'GET, DELETE'],
  ])('%s %s: 405, allowed %s', async (method, path, allow) => {
    const answer = await api.call(method, path, { as: 'admin' });
    expect(answer.status).toBe(405);
    expect(answer.headers['allow']).toBe(allow);
  });

  test.each(
    Object.entries(ROUTES).filter(
      ([, route]) => 'body' in route && route.body === 'refused' && route.path.startsWith('/v2/'),
    ),
  )('%s refuses a body', async (_, { method, path }) => {
    const answer = await api.call(method, path.replaceAll(/\{\w+\}/g, 'x'), { as: 'admin', body: {} });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('A body is not expected with this request.');
  });

  test('every route wants a token', async () => {
    for (const { method, path } of Object.values(ROUTES).filter((route) => route.path.startsWith('/v2/')))
      expect((await api.call(method, path.replaceAll(/\{\w+\}/g, 'x'))).status).toBe(401);
  });
});

test('a caller without a token, where that is allowed, may only read', async () => {
  const answer = await api.call('POST', '/v2/images', { as: 'anonymous', body: {} });
  expect(answer.status).toBe(403);
  expect(answer.text).toContain('Read-only access');
  expect((await api.call('GET', '/v2/info/stores', { as: 'anonymous' })).status).toBe(200);
});

describe('request id', () => {
  const id = async (sent?: string) =>
    (await api.call('GET', '/v2/info/stores', { as: 'demo', headers: sent ? { 'x-openstack-request-id': sent } : {} }))
      .headers['x-openstack-request-id'];

  test('is adopted, prefixed, made up', async () => {
    expect(await id('req-1')).toBe('req-1');
    expect(await id('abc')).toBe('req-abc');
    expect(await id('a\r\nset-cookie: x')).toBe('req-aset-cookie:x');
    expect(await id()).toMatch(/^req-[0-9a-f-]{36}$/);
  });

  test('is refused when too long, shown on errors', async () => {
    const long = await api.call('GET', '/v2/images', {
      as: 'demo',
      headers: { 'x-openstack-request-id': 'x'.repeat(65) },
    });
    expect(long.status).toBe(431);
    const missing = await api.call('GET', '/v2/unknown', { as: 'demo' });
    expect(missing.headers['x-openstack-request-id']).toMatch(/^req-/);
  });
});

describe('error bodies', () => {
  const ask = (accept?: string) =>
    api.call('GET', '/v2/images/%3Cb%3E', { as: 'demo', headers: accept === undefined ? {} : { accept } });

  test.each<[string | undefined, string]>([
    [undefined, 'text/plain; charset=UTF-8'],
    ['text/plain', 'text/plain; charset=UTF-8'],
    ['image/png', 'text/plain; charset=UTF-8'],
    ['*/*', 'text/html; charset=UTF-8'],
    ['text/html', 'text/html; charset=UTF-8'],
    ['application/json, */*', 'text/html; charset=UTF-8'],
    ['application/json, */*;q=0.5', 'application/json'],
    ['text/plain, application/json', 'application/json'],
    ['application/*', 'application/json'],
    ['application/json;q=0', 'text/plain; charset=UTF-8'],
  ])('Accept %s gives %s', async (accept, type) => {
    const answer = await ask(accept);
    expect(answer.status).toBe(404);
    expect(answer.headers['content-type']).toBe(type);
  });

  test('nest JSON for glanceclient and escape HTML', async () => {
    expect((await ask('application/json')).body).toEqual({
      error: { code: 404, title: 'Not Found', message: 'No image found with ID <b>' },
    });
    const html = (await ask('*/*')).text;
    expect(html).toContain('<h1>404 Not Found</h1>\n  No image found with ID &lt;b&gt;<br /><br />');
  });
});
