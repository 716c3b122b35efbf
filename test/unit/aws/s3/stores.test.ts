import { describe, expect, test } from 'vitest';
import type { S3Store } from '../../../../aws/s3/store.ts';
import { createS3Places } from '../../../../aws/s3/stores.ts';
import type { Store } from '../../../../bytes/store.ts';
import { parseConfig } from '../../../../core/config.ts';

const { stores } = parseConfig({
  stores: [
    { id: 'home', bucket: 'home' },
    { id: 'tokyo', bucket: 'tokyo', region: 'ap-northeast-1' },
    { id: 'edge', bucket: 'edge', endpoint: 'https://s3.edge.example.org' },
  ],
});

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
