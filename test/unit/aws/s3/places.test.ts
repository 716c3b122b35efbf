import { describe, expect, test } from 'vitest';
import { createPlaces } from '../../../../aws/s3/places.ts';
import { parseConfig } from '../../../../core/config.ts';

const { stores } = parseConfig({
  stores: [
    { id: 'home', bucket: 'home' },
    { id: 'tokyo', bucket: 'tokyo', region: 'ap-northeast-1' },
    { id: 'edge', bucket: 'edge', endpoint: 'https://s3.edge.example.org' },
  ],
});

describe('a store lies', () => {
  const places = createPlaces({ stores }, { stagingBucket: 'staging', stagingRegion: 'eu-central-1' });

  test.each([
    ['staging', 'eu-central-1'],
    ['home', 'eu-central-1'],
    ['tokyo', 'ap-northeast-1'],
    // Another service: what its clients say where nobody told them.
    ['edge', 'us-east-1'],
  ])('%s: in %s', async (place, region) => {
    expect(places.of(place).region).toBe(region);
    expect(await places.of(place).client.config.region()).toBe(region);
  });
});
