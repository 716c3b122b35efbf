import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { parseConfig, refuseKeysInFile } from '../../../core/config.ts';

const store = (id: string, bucket: string, more: object = {}) => ({ id, bucket, ...more });

const EDGE = { endpoint: 'https://s3.example.org', credentials_secret: 'edge' };
const KEYS = { access_key: 'AKIDOFEDGE', secret_key: 'sssh' };

describe('stores', () => {
  it('may not share a bucket: each sweeps what it holds', () => {
    const stores = [store('a', 'bucket-1'), store('b', 'bucket-2'), store('c', 'bucket-1')];

    expect(() => parseConfig({ stores })).toThrow('stores: bucket "bucket-1" is used twice');
  });

  it('may have buckets of one name at different services', () => {
    const stores = [store('a', 'images'), store('b', 'images', EDGE)];

    expect(parseConfig({ stores }).stores).toHaveLength(2);
  });
});

/** What is wrong with a configuration whose only store is like this. */
function complaint(more: object): string {
  try {
    parseConfig({ stores: [store('edge', 'images', more)] });
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

describe('credentials of a store', () => {
  const { endpoint } = EDGE;

  it.each([
    ['a secret', { credentials_secret: 'glimpse/edge' }],
    ['an ARN', { credentials_secret: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:glimpse/edge-a1B2c3' }],
    ['variables', { credentials_secret: 'env:EDGE' }],
    ['keys', { credentials: KEYS }],
  ])('are %s, at an endpoint of its own', (_, credentials) => {
    expect(complaint({ endpoint, ...credentials })).toBe('');
  });

  it.each<[string, object, string]>([
    ['missing at an endpoint of its own', { endpoint }, 'stores: edge: credentials_secret: not set'],
    ['without such an endpoint', { credentials_secret: 'edge' }, 'stores: edge: credentials_secret: without endpoint'],
    ['keys without such an endpoint', { credentials: KEYS }, 'stores: edge: credentials: without endpoint'],
    ['both', { ...EDGE, credentials: KEYS }, 'stores: edge: credentials: beside credentials_secret'],
    ['an empty secret', { endpoint, credentials_secret: '' }, 'stores.0.credentials_secret: '],
    ['no name of variables', { endpoint, credentials_secret: 'env:a b' }, 'stores.0.credentials_secret: '],
    [
      'half a pair',
      { endpoint, credentials: { access_key: 'AKIDOFEDGE' } },
      'stores.0.credentials.secret_key: not set',
    ],
  ])('that are %s are refused', (_, more, message) => {
    expect(complaint(more)).toContain(message);
  });

  it.each<[string, object]>([
    ['a wrong type', { endpoint, credentials: 'AKIDOFEDGE:sssh' }],
    ['a wrong type within', { endpoint, credentials: { ...KEYS, secret_key: ['sssh'] } }],
    ['a misspelled key within', { endpoint, credentials: { access_key: 'AKIDOFEDGE', secretkey: 'sssh' } }],
    ['a misspelled key beside them', { endpoint, credentials: KEYS, sparce: true }],
    ['misspelled themselves', { endpoint, credential: KEYS }],
    ['at no endpoint', { credentials: KEYS }],
  ])('are in no message: %s', (_, more) => {
    expect(complaint(more)).toMatch(/^stores/);
    expect(complaint(more)).not.toMatch(/sssh|AKIDOFEDGE/);
  });

  it('as keys in the file are refused where it is deployed, without saying them', () => {
    const { stores } = parseConfig({ stores: [store('edge', 'images', { endpoint, credentials: KEYS })] });

    expect(() => refuseKeysInFile({ stores })).toThrow(
      /^stores: edge: credentials: keys stand in no file of a stage: name a secret by credentials_secret$/,
    );
    expect(() => refuseKeysInFile({ stores: [] })).not.toThrow();
  });
});

it('a password is in no message', () => {
  const identity = { mode: 'keystone', password: 'sssh', pasword: 'sssh' };

  expect(() => parseConfig({ stores: [store('a', 'images')], identity })).toThrow(/^identity: (?!.*sssh)/);
  expect(() => parseConfig({ stores: [store('a', 'images')], identity: { password: ['sssh'] } })).toThrow(
    /^identity.password: (?!.*sssh)/,
  );
});

describe('import plugins', () => {
  const plugins = (...image_import_plugins: string[]) => ({ stores: [store('a', 'bucket-1')], image_import_plugins });

  it('look at what is inside a compressed file, not at the file', () => {
    expect(() => parseConfig(plugins('image_introspection', 'image_decompression'))).toThrow(
      'image_import_plugins: image_introspection before image_decompression',
    );
    expect(parseConfig(plugins('image_decompression', 'image_introspection')).image_import_plugins).toHaveLength(2);
  });
});

describe('what every process loads to read its settings', () => {
  it('is zod, and nothing else that is not Node', async () => {
    const { metafile } = await build({
      ...{ entryPoints: ['core/config.ts'], bundle: true, write: false, metafile: true },
      ...{ format: 'esm', platform: 'node', packages: 'external', outfile: 'config.js' },
    });
    const packages = metafile.outputs['config.js']?.imports.map(({ path }) => path) ?? [];

    expect(packages.filter((path) => !path.startsWith('node:'))).toEqual(['zod']);
  });
});
