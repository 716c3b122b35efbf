/**
 * No answer behind a token may be kept by a cache, whose key does not hold the token; a client may keep image bytes. None is taken for
 * another kind of content than it says.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROUTES } from '../../api/routes.ts';
import { parseConfig } from '../../core/config.ts';
import { createIdentityApi } from '../../functions/api/identity/api.ts';
import { type GatewayRig, OCTETS, startGateway } from '../support/gateway.ts';
import { held } from '../support/held.ts';
import { movableClock, PASSWORDS, proxyEvent, startIdentity } from '../support/identity.ts';
import { startImagesApi, type TestApi } from '../support/images-api.ts';
import { startTable, type TestTable } from '../support/table.ts';

const UNKNOWN = 'd2f3cdf6-6a4e-4f77-9c4f-6a5d0f2a3b11';

describe('the API', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startImagesApi();
  });
  afterAll(() => api.close());

  const routes = Object.values(ROUTES)
    .filter(({ group }) => group === 'images')
    .map(({ method, path }) => [method, path.replaceAll(/\{\w+\}/g, UNKNOWN)] as const);

  test.each(routes)('%s %s', async (method, path) => {
    for (const as of ['demo', undefined] as const) {
      const { status, headers } = await api.call(method, path, { as });
      expect(headers['cache-control'], `${as ?? 'nobody'}: ${status}`).toBe('no-store');
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  });

  test('what it answers well, and a path it does not have', async () => {
    const created = await api.call('POST', '/v2/images', { as: 'demo', body: { name: 'a' } });
    const shown = await api.call('GET', `/v2/images/${created.body.id}`, { as: 'demo' });
    const other = await api.call('GET', `/v2/images/${created.body.id}`, { as: 'alt' });
    const nowhere = await api.call('GET', '/v2/nothing', { as: 'demo' });

    expect([created, shown, other, nowhere].map(({ status, headers }) => [status, headers['cache-control']])).toEqual([
      [201, 'no-store'],
      [200, 'no-store'],
      [404, 'no-store'],
      [404, 'no-store'],
    ]);
  });
});

describe('the identity service', () => {
  const options = {
    config: parseConfig({ stores: [{ id: 'central', bucket: 'central' }] }),
    newId: () => crypto.randomUUID(),
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  };
  const user = { name: 'admin', domain: { id: 'default' }, password: PASSWORDS.admin };
  const login = { auth: { identity: { methods: ['password'], password: { user } } } };
  let running: TestTable;
  let handler: ReturnType<typeof held>;
  let token: string;
  let subject: string;
  const newToken = async () => {
    const { headers } = await handler(proxyEvent('POST', '/identity/v3/auth/tokens', { body: login }));
    return String(headers?.['x-subject-token']);
  };
  beforeAll(async () => {
    running = await startTable();
    handler = held(createIdentityApi({ ...options, identity: await startIdentity(running.table, movableClock()) }));
    token = await newToken();
    subject = await newToken();
  });
  afterAll(() => running?.close());

  const routes = Object.values(ROUTES)
    .filter(({ group }) => group === 'identity')
    .map(({ method, path }) => [method, path.replaceAll(/\{\w+\}/g, UNKNOWN)] as const);

  test.each(routes)('%s %s', async (method, path) => {
    for (const headers of [{ 'x-auth-token': token, 'x-subject-token': subject }, {}]) {
      const answer = await handler(proxyEvent(method, path, { headers }));
      expect(answer.headers?.['cache-control'], `${answer.statusCode}`).toBe('no-store');
      expect(answer.headers?.['x-content-type-options']).toBe('nosniff');
    }
  });

  test('a token, a path it does not have, and where another Keystone answers', async () => {
    const elsewhere = held(createIdentityApi(options));
    const answers = [
      await handler(proxyEvent('POST', '/identity/v3/auth/tokens', { body: login })),
      await handler(proxyEvent('GET', '/identity/v3/nothing')),
      await elsewhere(proxyEvent('GET', '/identity/v3')),
    ];

    expect(answers.map(({ statusCode, headers }) => [statusCode, headers?.['cache-control']])).toEqual([
      [201, 'no-store'],
      [404, 'no-store'],
      [404, 'no-store'],
    ]);
  });
});

describe('the gateway', () => {
  let rig: GatewayRig;
  beforeAll(async () => {
    rig = await startGateway();
  });
  afterAll(() => rig.close());

  test('bytes are for the client alone; writes and refusals for nobody', async () => {
    const { id } = await rig.image();
    const path = `/v2/images/${id}/file`;
    const answers = [
      await rig.send('GET', `/v2/images/${UNKNOWN}/file`),
      await rig.send('GET', path),
      await rig.send('PUT', path, { headers: OCTETS, body: Buffer.from('bytes') }),
      await rig.send('PUT', path, { headers: OCTETS, body: Buffer.from('again') }),
      await rig.send('GET', path, { headers: { range: 'bytes=1-2' } }),
      await rig.send('GET', path, { headers: { range: 'bytes=9-' } }),
      await rig.send('GET', path),
      await rig.send('GET', path, { headers: { 'x-auth-token': undefined } }),
      await rig.send('DELETE', path),
    ];

    expect(answers.map(({ status, headers }) => [status, headers['cache-control']])).toEqual([
      [404, 'no-store'],
      [204, 'no-store'],
      [204, 'no-store'],
      [409, 'no-store'],
      [206, 'private'],
      [416, 'no-store'],
      [200, 'private'],
      [401, 'no-store'],
      [405, 'no-store'],
    ]);
    expect(new Set(answers.map(({ headers }) => headers['x-content-type-options']))).toEqual(new Set(['nosniff']));
  });
});
