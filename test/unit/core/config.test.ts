import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../core/config.ts';

const store = (id: string, bucket: string, more: object = {}) => ({ id, bucket, ...more });

describe('stores', () => {
  it('may not share a bucket: each sweeps what it holds', () => {
    const stores = [store('a', 'bucket-1'), store('b', 'bucket-2'), store('c', 'bucket-1')];

    expect(() => parseConfig({ stores })).toThrow('stores: bucket "bucket-1" is used twice');
  });

  it('may have buckets of one name at different services', () => {
    const stores = [store('a', 'images'), store('b', 'images', { endpoint: 'https://s3.example.org' })];

    expect(parseConfig({ stores }).stores).toHaveLength(2);
  });
});
