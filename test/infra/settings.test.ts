/** A wrong deployment fails in one sentence before any resource is touched. */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REGIONS } from '../../infra/regions.ts';
import { readSettings } from '../../infra/settings.ts';
import { functionOf, inAws, ofType, ROOT, synth } from './graph.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'glimpse-settings-'));
  await mkdir(join(root, 'infra'));
  await cp(join(ROOT, 'infra/config'), join(root, 'infra/config'), { recursive: true });
  await cp(join(ROOT, 'infra/config/dev.json'), join(root, 'elsewhere.json'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const store = (extra: object = {}) => ({ id: 'central', bucket: 'a-bucket', ...extra });
const wrong: readonly [string, object | string, Record<string, string>, RegExp][] = [
  ['no file', '', {}, /^The configuration file infra\/config\/test\.json cannot be read: /],
  ['no JSON', '{', {}, /^The configuration file .* cannot be read: /],
  ['an unknown key', { stores: [store()], max_virtual_sice: 1 }, {}, /Unrecognized key: "max_virtual_sice"/],
  [
    'an unknown region of a store',
    { stores: [store({ region: 'mars-1' })] },
    {},
    /stores: central: region: "mars-1" is no AWS region/,
  ],
  ['a store name twice', { stores: [store(), store({ bucket: 'other' })] }, {}, /stores: id "central" is used twice/],
  ['a bucket twice', { stores: [store(), store({ id: 'edge' })] }, {}, /bucket "a-bucket"/],
  [
    'an invalid bucket name',
    { stores: [store({ bucket: 'Not_A_Bucket' })] },
    {},
    /bucket "Not_A_Bucket" is no bucket name/,
  ],
  ['a bucket name with a dot', { stores: [store({ bucket: 'a.b.c' })] }, {}, /bucket "a.b.c" is no bucket name/],
  [
    'a store of another service without credentials',
    { stores: [store({ endpoint: 'https://s3.example.org' })] },
    {},
    /stores: central: credentials_secret: not set/,
  ],
  [
    'keys of a store in the file',
    {
      stores: [store({ endpoint: 'https://s3.example.org', credentials: { access_key: 'sssh', secret_key: 'sssh' } })],
    },
    {},
    /^(?!.*sssh).*stores: central: credentials: keys stand in no file of a stage/,
  ],
  [
    'keys of a store in variables',
    { stores: [store({ endpoint: 'https://s3.example.org', credentials_secret: 'env:EDGE' })] },
    {},
    /stores: central: credentials_secret: "env:EDGE": a stage has no variables of yours/,
  ],
  [
    'two default stores',
    { stores: [store({ default: true }), store({ id: 'b', bucket: 'bbb', default: true })] },
    {},
    /are all default/,
  ],
  [
    'a policy file that is not there',
    { stores: [store()], policy_file: 'infra/config/policy.yaml' },
    {},
    /policy\.yaml does not exist/,
  ],
  [
    'a policy folder that is not there',
    { stores: [store()], policy_dirs: ['infra/config/policy.d'] },
    {},
    /policy\.d does not exist/,
  ],
  [
    'a policy file elsewhere',
    { stores: [store()], policy_file: '/etc/policy.yaml' },
    {},
    /must be a path inside the repository/,
  ],
  [
    'a configuration that the image of the gateway does not hold',
    { stores: [store()] },
    { GLIMPSE_CONFIG: 'elsewhere.json' },
    /^GLIMPSE_CONFIG: elsewhere\.json is not below infra\/config\/, which is what the gateway's image holds\.$/,
  ],
  [
    'a policy file that the image of the gateway does not hold',
    { stores: [store()], policy_file: 'elsewhere.json' },
    {},
    /elsewhere\.json is not below infra\/config\//,
  ],
  [
    'an unknown region',
    { stores: [store()] },
    { GLIMPSE_REGION: 'eu-central-9' },
    /GLIMPSE_REGION: "eu-central-9" is no AWS region/,
  ],
  [
    'an unknown edge',
    { stores: [store()] },
    { GLIMPSE_EDGE: 'nginx' },
    /GLIMPSE_EDGE: "nginx" is neither cloudfront nor alb/,
  ],
  [
    'an unknown way to share executions',
    { stores: [store()] },
    { GLIMPSE_CONCURRENCY: 'none' },
    /GLIMPSE_CONCURRENCY: "none" is neither reserved nor shared/,
  ],
  [
    'a bound of rendering that is none',
    { stores: [store()] },
    { GLIMPSE_RENDER_CONCURRENCY: '0' },
    /GLIMPSE_RENDER_CONCURRENCY: "0" is no number from 1 to 99999/,
  ],
  [
    'alb without a certificate',
    { stores: [store()] },
    { GLIMPSE_EDGE: 'alb' },
    /must both be set with GLIMPSE_EDGE=alb/,
  ],
  [
    'a domain without a certificate',
    { stores: [store()] },
    { GLIMPSE_DOMAIN: 'a.example.org' },
    /must be set together/,
  ],
  [
    'a certificate of another region',
    { stores: [store()] },
    {
      GLIMPSE_DOMAIN: 'a.example.org',
      GLIMPSE_CERTIFICATE_ARN: 'arn:aws:acm:eu-west-1:123456789012:certificate/1',
    },
    /is no certificate ARN of us-east-1, which cloudfront needs/,
  ],
  [
    'a console that was not built',
    { stores: [store()] },
    { GLIMPSE_CONSOLE_DIST: 'console/dist' },
    /holds no index\.html/,
  ],
];

describe('readSettings refuses', () => {
  test.each(wrong)('%s', async (_, config, env, message) => {
    const path = join(root, 'infra/config/test.json');
    await rm(path, { force: true });
    if (config !== '') await writeFile(path, typeof config === 'string' ? config : JSON.stringify(config));

    expect(() => readSettings('test', env, root)).toThrow(message);
  });
});

test.each(['dev', 'production', 'localstack'])('the example of stage %s can be used', (stage) => {
  expect(readSettings(stage, {}, ROOT)).toMatchObject({ region: 'us-east-1', edge: 'cloudfront', stage });
});

test('names of stores in the examples differ between stages', () => {
  const buckets = ['dev', 'production', 'localstack'].flatMap((stage) =>
    readSettings(stage, {}, ROOT).config.stores.map(({ bucket }) => bucket),
  );

  expect(new Set(buckets).size).toBe(buckets.length);
});

test('regions are spelled as AWS does', () => {
  for (const region of REGIONS) expect(region).toMatch(/^[a-z]{2}-[a-z]+-\d$/);
});

describe('the program ends before a resource is declared', () => {
  const withKeystone = {
    GLIMPSE_CONFIG: 'test/infra/config/three-regions.json',
    GLIMPSE_GATEWAY_IMAGE: 'registry.example.org/gateway:1',
  };
  test.each<[string, Record<string, string>, RegExp]>([
    ['a wrong configuration', { GLIMPSE_REGION: 'mars-1' }, /^GLIMPSE_REGION: "mars-1" is no AWS region/],
    [
      'a stage without a file',
      { GLIMPSE_CONFIG: 'infra/config/none.json' },
      /^The configuration file infra\/config\/none\.json cannot be read/,
    ],
    [
      'a missing secret',
      withKeystone,
      /^The secret KeystonePassword is not set: npx sst secret set KeystonePassword VALUE --stage dev /,
    ],
    [
      'an account that allows too few executions',
      { MOCK_CONCURRENT_EXECUTIONS: '120' },
      /^This account allows 120 concurrent executions in us-east-1; the stage reserves 97, .*GLIMPSE_CONCURRENCY=shared/,
    ],
    ['no signing keys', { SST_SECRET_SigningKeys: '' }, /^The secret SigningKeys is not set: /],
    [
      'signing keys that are none',
      { SST_SECRET_SigningKeys: '[{"kty":"EC","crv":"P-256","x":"x","y":"y","kid":"public"}]' },
      /^The secret SigningKeys is no JSON array of private ES256 keys: [^"]*$/,
    ],
  ])('%s', async (_, env, message) => {
    const graph = await synth({ stage: 'dev', env });

    expect(graph.errors).toEqual([expect.stringMatching(message)]);
    expect(graph.builds).toEqual([]);
    expect(inAws(graph)).toEqual([]);
  });
});

test('a new account, which may reserve nothing, gets a stage that shares what there is', async () => {
  const graph = await synth({
    stage: 'dev',
    env: { MOCK_CONCURRENT_EXECUTIONS: '10', GLIMPSE_CONCURRENCY: 'shared' },
  });

  expect(graph.errors).toEqual([]);
  const functions = ofType(graph, 'lambda/function:Function');
  expect(functions.length).toBeGreaterThan(15);
  for (const { name, inputs } of functions) expect(inputs['reservedConcurrentExecutions'], name).toBeUndefined();
});

test('the bound of rendering is a setting', async () => {
  const graph = await synth({ stage: 'dev', env: { GLIMPSE_RENDER_CONCURRENCY: '120' } });

  expect(graph.errors).toEqual([]);
  expect(functionOf(graph, 'import-render').inputs['reservedConcurrentExecutions']).toBe(120);
});
