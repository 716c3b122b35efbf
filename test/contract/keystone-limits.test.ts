/** Limits per project that an existing Keystone keeps (contract: quotas-and-limits.md section 2). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, parseConfig } from '../../core/config.ts';
import { BackendUnavailable } from '../../core/errors.ts';
import { connectKeystone } from '../../keystone/connection.ts';
import { createKeystoneLimits } from '../../keystone/limits.ts';
import { PASSWORDS } from '../support/identity.ts';
import { startImagesApi, type TestApi } from '../support/images-api.ts';
import { answerJson, type KeystoneStandIn, startKeystoneStandIn } from '../support/keystone.ts';

const ENDPOINT = { id: 'e1', service_id: 's1', region_id: 'RegionOne' as string | null };
const registered = (resource_name: string, default_limit: number, region_id: string | null = 'RegionOne') => ({
  ...{ id: 'r', service_id: 's1', description: null },
  ...{ resource_name, default_limit, region_id },
});
const override = (resource_name: string, resource_limit: number, region_id: string | null = 'RegionOne') => ({
  ...{ id: 'l', service_id: 's1', project_id: 'demo', domain_id: null, description: null },
  ...{ resource_name, resource_limit, region_id },
});

/** What the Keystone of this test says to each path. */
let answers: Record<string, unknown>;
let keystone: KeystoneStandIn;
let service: TestApi | undefined;
beforeAll(async () => {
  keystone = await startKeystoneStandIn();
});
afterAll(() => keystone.close());
beforeEach(() => {
  keystone.clock.advance(60_000);
  keystone.forget();
  answers = {
    '/endpoints/e1': { endpoint: ENDPOINT },
    '/registered_limits?service_id=s1': {
      registered_limits: [registered('image_count_total', 5), registered('image_size_total', 100)],
    },
    '/limits?service_id=s1&project_id=demo': { limits: [override('image_count_total', 2)] },
    '/limits?service_id=s1&project_id=alt': { limits: [] },
  };
  keystone.instead = (response, { url = '' }) => {
    const path = url.slice(url.indexOf('/v3') + 3);
    const known = answers[path];
    if (known === undefined) answerJson(response, { error: { code: 404, message: path, title: 'Not Found' } }, 404);
    else answerJson(response, known);
  };
});
afterEach(async () => {
  await service?.close();
  service = undefined;
});

const ADMIN = { username: 'admin', password: PASSWORDS.admin };
const connect = () => connectKeystone(keystone.settings(ADMIN), keystone.clock, 'system');
const limits = () => createKeystoneLimits(connect(), { endpoint_id: 'e1' }, keystone.clock);

it('are the project’s own over the registered ones, and 0 where none is registered', async () => {
  const { of } = limits();

  expect(await of('demo')).toEqual({
    image_count_total: 2,
    image_size_total: 100,
    image_stage_total: 0,
    image_count_uploading: 0,
  });
  expect(await of('alt')).toMatchObject({ image_count_total: 5, image_size_total: 100 });
  expect(await of(null)).toMatchObject({ image_count_total: 5 });
});

it('are those of the endpoint’s region before those of all regions, and no other region’s', async () => {
  answers['/registered_limits?service_id=s1'] = {
    registered_limits: [
      registered('image_count_total', 1, 'RegionTwo'),
      registered('image_count_total', 7, null),
      registered('image_size_total', 8, null),
      registered('image_size_total', 9),
    ],
  };
  answers['/limits?service_id=s1&project_id=demo'] = { limits: [override('image_size_total', 1, 'RegionTwo')] };

  expect(await limits().of('demo')).toMatchObject({ image_count_total: 7, image_size_total: 9 });

  answers['/endpoints/e1'] = { endpoint: { ...ENDPOINT, region_id: null } };
  expect(await limits().of('demo')).toMatchObject({ image_count_total: 7, image_size_total: 8 });
});

it('are remembered for seconds; a change counts after that', async () => {
  const { of } = limits();
  await Promise.all([of('demo'), of('demo')]);
  await of('demo');
  expect(keystone.requests.filter((request) => request.includes('limits'))).toHaveLength(2);

  answers['/limits?service_id=s1&project_id=demo'] = { limits: [override('image_count_total', 3)] };
  keystone.clock.advance(10_000);

  expect(await of('demo')).toMatchObject({ image_count_total: 3 });
});

it('that cannot be asked for make the service unavailable; without an endpoint nothing is limited to 0 in silence', async () => {
  const { of } = limits();
  const good = keystone.instead;
  keystone.instead = (response) => response.writeHead(503).end();
  await expect(of('demo')).rejects.toThrow(BackendUnavailable);
  keystone.instead = good;
  expect(await of('demo')).toMatchObject({ image_count_total: 2 });

  await expect(createKeystoneLimits(connect(), { endpoint_id: 'e2' }, keystone.clock).of('demo')).rejects.toThrow(
    ConfigError,
  );
});

it('are asked with a token for the system', async () => {
  await limits().of('demo');
  await expect(
    createKeystoneLimits(
      connectKeystone(keystone.settings(), keystone.clock, 'system'),
      { endpoint_id: 'e1' },
      keystone.clock,
    ).of('demo'),
  ).rejects.toThrow('refused the service user service with scope system');
});

it('need the endpoint in the configuration', () => {
  const identity = { mode: 'keystone', auth_url: 'http://k', username: 'u', password: PASSWORDS.service };
  const config = { stores: [{ id: 'central', bucket: 'central' }], use_keystone_limits: true };

  expect(() => parseConfig({ ...config, identity })).toThrow('oslo_limit.endpoint_id');
  expect(parseConfig({ ...config, identity, oslo_limit: { endpoint_id: 'e1' } }).use_keystone_limits).toBe(true);
  expect(parseConfig(config).use_keystone_limits).toBe(true);
});

describe('enforced', () => {
  const create = (as: 'demo' | 'alt') => service?.call('POST', '/v2/images', { as, body: {} });
  beforeEach(async () => {
    service = await startImagesApi({ use_keystone_limits: true }, { limits: limits() });
  });

  it('on the number of images, per project, with the sentence of the original', async () => {
    expect((await create('demo'))?.status).toBe(201);
    expect((await create('demo'))?.status).toBe(201);
    const refused = await create('demo');

    expect(refused?.status).toBe(413);
    expect(refused?.text).toContain(
      'Project demo is over a limit for [Resource image_count_total is over limit of 2 due to current usage 2 and delta 1]',
    );
    expect((await create('alt'))?.status).toBe(201);
  });

  it('not where the limit is negative', async () => {
    answers['/limits?service_id=s1&project_id=demo'] = { limits: [override('image_count_total', -1)] };

    for (let count = 0; count < 7; count++) expect((await create('demo'))?.status).toBe(201);
  });

  it('and shown beside the usage', async () => {
    await create('demo');

    const { body } = (await service?.call('GET', '/v2/info/usage', { as: 'demo' })) ?? {};
    expect(body).toMatchObject({
      usage: {
        image_count_total: { usage: 1, limit: 2 },
        image_size_total: { usage: 0, limit: 100 },
        image_stage_total: { usage: 0, limit: 0 },
      },
    });
    const unscoped = await service?.call('GET', '/v2/info/usage', { as: 'unscoped' });
    expect(unscoped?.body.usage.image_count_total).toEqual({ usage: 0, limit: 5 });
  });

  it('answers 500 without a word of the inside when Keystone does not know us, 503 while it is away', async () => {
    delete answers['/endpoints/e1'];
    const broken = await create('demo');
    expect(broken?.status).toBe(500);
    expect(broken?.text).not.toContain('endpoint');

    keystone.instead = (response) => response.destroy();
    expect((await create('demo'))?.status).toBe(503);
  });
});
