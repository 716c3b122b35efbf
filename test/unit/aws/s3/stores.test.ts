import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { S3Store } from '../../../../aws/s3/store.ts';
import { createS3Places } from '../../../../aws/s3/stores.ts';
import type { Store } from '../../../../bytes/store.ts';
import { parseConfig } from '../../../../core/config.ts';
import { BackendUnavailable } from '../../../../core/errors.ts';

const { stores } = parseConfig({
  stores: [
    { id: 'home', bucket: 'home' },
    { id: 'tokyo', bucket: 'tokyo', region: 'ap-northeast-1' },
    { id: 'edge', bucket: 'edge', endpoint: 'https://s3.edge.example.org', credentials_secret: 'edge' },
  ],
});

const endpoint = 'https://s3.edge.example.org';
const SECRETS: Readonly<Record<string, string>> = {
  edge: '{"access_key": "of-edge", "secret_key": "sssh"}',
  other: '{"access_key": "of-other", "secret_key": "sssh"}',
  half: '{"access_key": "sssh"}',
  text: 'sssh',
};

/** The places of stores at other services, and how often each secret was read. */
function edgePlaces(...edges: readonly object[]) {
  const reads: string[] = [];
  const { stores } = parseConfig({
    stores: edges.map((edge, n) => ({ id: `e${n}`, bucket: `edge-${n}`, endpoint, ...edge })),
  });
  const places = createS3Places(
    { stores },
    {
      stagingBucket: 'staging',
      env: { EDGE_ACCESS_KEY: 'of-env', EDGE_SECRET_KEY: 'sssh', EMPTY_ACCESS_KEY: '' },
      readSecret: async (id) => {
        reads.push(id);
        return SECRETS[id] ?? Promise.reject(new Error('ResourceNotFoundException'));
      },
    },
  );
  return { places, reads };
}
const keyOf = async (store: Store): Promise<string> =>
  (await (store as S3Store).client.config.credentials()).accessKeyId;

const regionOf = (store: Store): Promise<string> => (store as S3Store).client.config.region();

describe('a store lies', () => {
  const places = createS3Places({ stores }, { stagingBucket: 'staging', stagingRegion: 'eu-central-1' });

  test.each([
    ['staging', 'eu-central-1'],
    ['home', 'eu-central-1'],
    ['tokyo', 'ap-northeast-1'],
    // Another service: what its clients say where nobody told them.
    ['edge', 'us-east-1'],
  ])('%s: in %s', async (place, region) => {
    expect(await regionOf(places.of(place))).toBe(region);
  });
});

describe('a store at another service', () => {
  test.each([
    ['a secret', { credentials_secret: 'edge' }, 'of-edge'],
    ['variables', { credentials_secret: 'env:EDGE' }, 'of-env'],
    ['keys in the file', { credentials: { access_key: 'of-file', secret_key: 'sssh' } }, 'of-file'],
  ])('is spoken to with the credentials of %s', async (_, edge, accessKey) => {
    const { places } = edgePlaces(edge);

    expect(await keyOf(places.store('e0'))).toBe(accessKey);
  });

  test('asks for its secret when it is used, and then remembers it', async () => {
    const { places, reads } = edgePlaces({ credentials_secret: 'edge' }, { credentials_secret: 'edge' });
    expect(reads).toEqual([]);

    await keyOf(places.store('e0'));
    await keyOf(places.store('e1'));

    expect(reads).toEqual(['edge']);
  });

  test.each(['half', 'text'])(
    'whose secret is no pair of keys is not spoken to, and no message quotes it: %s',
    async (secret) => {
      const { places } = edgePlaces({ credentials_secret: secret });

      await expect(keyOf(places.store('e0'))).rejects.toThrow(
        `stores: e0: credentials_secret: ${secret} holds no JSON object with access_key and secret_key`,
      );
      const used = await places
        .store('e0')
        .headObject('x')
        .catch((error: Error) => error);
      expect(used).toBeInstanceOf(BackendUnavailable);
      expect(inspect(used)).not.toContain('sssh');
    },
  );

  test.each([
    ['NOWHERE', 'NOWHERE_ACCESS_KEY'],
    ['EMPTY', 'EMPTY_ACCESS_KEY'],
  ])('whose variables are not set is refused at once: %s', (prefix, variable) => {
    expect(() => edgePlaces({ credentials_secret: `env:${prefix}` })).toThrow(
      `stores: e0: credentials_secret: ${variable} is not set in the environment`,
    );
  });

  test('copies from stores of the same service under the same credentials, and from no other', () => {
    const { places } = edgePlaces(
      { credentials_secret: 'edge' },
      { credentials_secret: 'edge' },
      { credentials_secret: 'other' },
      { credentials_secret: 'edge', endpoint: 'https://s3.elsewhere.example.org' },
    );
    const [first, ...others] = places.stores;

    expect(others.map((other) => first?.canCopyFrom(other))).toEqual([true, false, false]);
    expect([first?.canCopyFrom(places.staging), first && places.staging.canCopyFrom(first)]).toEqual([false, false]);
  });
});
