/** As names-of-objects.test.ts, of the catalog, the identity service, and names that stand in queries and headers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../core/config.ts';
import { createIdentityApi } from '../../functions/api/identity/api.ts';
import { type GatewayRig, OCTETS, startGateway } from '../support/gateway.ts';
import { held } from '../support/held.ts';
import { movableClock, PASSWORDS, proxyEvent, startIdentity } from '../support/identity.ts';
import { type Call, startImagesApi, type TestApi } from '../support/images-api.ts';
import { type MetadefsApi, startMetadefsApi } from '../support/metadefs-api.ts';
import { startTable } from '../support/table.ts';

const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'] as const;
/** What the table's client can keep something under. */
const isKey = (name: string) => name !== '__proto__' && name !== 'constructor';
const definition = { title: 'T', type: 'string' };

describe('the catalog', () => {
  let api: MetadefsApi;
  beforeAll(async () => {
    api = await startMetadefsApi();
  });
  afterAll(async () => {
    expect(api.errors).toEqual([]);
    await api.close();
  });
  const ask = (method: string, path: string, body?: unknown) =>
    api.call(method, `/v2/metadefs${path}`, { as: 'admin', body });

  test.each(NAMES)('%s as name of everything in it: kept, or refused', async (name) => {
    const made = await ask('POST', '/namespaces', { namespace: name });
    expect(made.status).toBe(201);
    expect((await ask('GET', `/namespaces/${name}`)).body.namespace).toBe(name);

    for (const [kind, body, expected] of [
      // Of the three, only properties are shown as keys.
      ['properties', { name, ...definition }, isKey(name) ? 201 : 400],
      ['objects', { name, properties: { a: definition } }, 201],
      ['resource_types', { name, prefix: name }, 201],
    ] as const) {
      const { status } = await ask('POST', `/namespaces/${name}/${kind}`, body);
      expect(status, kind).toBe(expected);
      const shown = await ask('GET', `/namespaces/${name}/${kind}`);
      expect([shown.status, shown.text.includes(`"${name}"`)], kind).toEqual([200, status === 201]);
    }
    const path = `/namespaces/${name}/properties`;
    expect((await ask('POST', path, { name: 'renamed', ...definition })).status).toBe(201);
    expect((await ask('PUT', `${path}/renamed`, { name, ...definition })).status).toBe(isKey(name) ? 409 : 400);
    expect((await ask('POST', `/namespaces/${name}/tags/${name}`)).status).toBe(201);
    expect((await ask('GET', `/namespaces/${name}?resource_type=${name}`)).status).toBe(200);
    expect((await ask('GET', `/namespaces?resource_types=${name}`)).status).toBe(200);
    expect((await ask('GET', `/namespaces?sort_key=${name}`)).status).toBe(400);
    for (const kind of ['properties', 'objects']) {
      const missing = await ask('GET', `/namespaces/${name}/${kind}/of-nobody`);
      expect(missing.status).toBe(404);
      expect((await ask('DELETE', `/namespaces/${name}/${kind}/${name}`)).status).toBeLessThan(500);
    }
    expect((await ask('DELETE', `/namespaces/${name}`)).status).toBe(204);
  });

  test.each(NAMES)('%s as key of a namespace that is made as a whole', async (name) => {
    const body = `{"namespace":"whole ${name}","properties":{"${name}":{"title":"T","type":"string"}}}`;
    const { status } = await ask('POST', '/namespaces', body);

    expect(status).toBe(isKey(name) ? 201 : 400);
  });
});

describe('queries and import requests', () => {
  let service: TestApi;
  beforeAll(async () => {
    service = await startImagesApi({});
  });
  afterAll(() => service.close());
  const send = async (method: string, path: string, call: Call = {}) =>
    (await service.call(method, path, { as: 'demo', ...call })).status;

  test.each(NAMES)('%s is no value of theirs', async (name) => {
    for (const query of ['sort_key', 'sort_dir', 'visibility', 'member_status', 'os_hidden', 'limit', 'sort'])
      expect(await send('GET', `/v2/images?${query}=${name}`), query).toBe(400);
    expect(await send('GET', `/v2/images?created_at=${name}:2026-01-01`)).toBe(400);
    expect(await send('GET', `/v2/images?name=${name}:x`)).toBe(400);
    expect(await send('GET', `/v2/images?size_min=${name}`)).toBe(400);
    expect(await send('GET', `/v2/images?${name}_min=1`)).toBe(400);
    expect(await send('GET', `/v2/tasks?type=${name}`, { as: 'admin' })).toBe(400);
    const image = await service.call('POST', '/v2/images', { as: 'demo', body: { name: 'x' } });
    const method = { name: 'glance-direct' };
    expect(await send('POST', `${image.body.self}/import`, { body: { method, stores: [name] } })).toBeLessThan(500);
    expect(await send('POST', `${image.body.self}/import`, { body: { method: { name } } })).toBe(400);
    expect(await send('POST', '/v2/images', { body: { disk_format: name } })).toBe(400);
    expect(await send('DELETE', `/v2/stores/${name}/${image.body.id}`, { as: 'admin' })).toBeOneOf([404, 409]);
  });
});

describe('image data', () => {
  let rig: GatewayRig;
  beforeAll(async () => {
    rig = await startGateway();
  });
  afterAll(() => rig.close());

  test.each(NAMES)('a store named %s is none', async (name) => {
    const image = await rig.image();
    const headers = { ...OCTETS, 'x-image-meta-store': name };

    expect((await rig.send('PUT', `/v2/images/${image.id}/file`, { headers, body: [Buffer.from('x')] })).status).toBe(
      400,
    );
    expect((await rig.send('GET', `/v2/images/${image.id}/file?prefer=${name}`)).status).toBe(400);
  });

  test.each(['APPLICATION/OCTET-STREAM', 'Application/Octet-Stream; charset=x'])('%s is taken', async (type) => {
    const { id } = await rig.image({ diskFormat: 'raw' });
    const put = { headers: { ...OCTETS, 'content-type': type }, body: [Buffer.from('bytes')] };

    expect((await rig.send('PUT', `/v2/images/${id}/file`, put)).status).toBe(204);
  });
});

describe('the identity service', () => {
  test.each(NAMES)('%s as name of a project, a user and a role, and in what asks for them', async (name) => {
    const { table, close } = await startTable();
    const identity = await startIdentity(table, movableClock());
    const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const config = parseConfig({ stores: [{ id: 'central', bucket: 'central' }] });
    const handler = held(createIdentityApi({ config, identity, newId: () => crypto.randomUUID(), log: silent }));
    const call = async (method: string, path: string, token?: string, body?: unknown) =>
      handler(
        proxyEvent(method, `/identity/v3${path}`, {
          headers: token === undefined ? {} : { 'x-auth-token': token },
          body,
        }),
      );
    const login = (user: string, password: string, scope: object = {}) =>
      call('POST', '/auth/tokens', undefined, {
        auth: {
          identity: { methods: ['password'], password: { user: { name: user, domain: { id: 'default' }, password } } },
          ...scope,
        },
      });
    const token = String((await login('admin', PASSWORDS.admin)).headers?.['x-subject-token']);

    for (const kind of ['project', 'user', 'role'])
      expect((await call('POST', `/${kind}s`, token, { [kind]: { name, password: 'p'.repeat(12) } })).statusCode).toBe(
        201,
      );
    expect((await call('GET', `/projects?name=${name}`, token)).body).toContain(`"${name}"`);
    expect((await login(name, 'p'.repeat(12))).statusCode).toBe(201);
    expect((await login(name, 'wrong')).statusCode).toBe(401);
    const scope = { scope: { project: { name, domain: { id: 'default' } } } };
    expect((await login(name, 'p'.repeat(12), scope)).statusCode).toBe(401);
    const method = { auth: { identity: { methods: [name] } } };
    expect((await call('POST', '/auth/tokens', undefined, method)).statusCode).toBeOneOf([400, 401]);
    expect((await call('GET', `/users/${name}`, token)).statusCode).toBe(404);
    await close();
  });
});
