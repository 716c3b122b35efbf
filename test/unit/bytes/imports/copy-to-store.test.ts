import { expect, test } from 'vitest';
import { bytesThrough } from '../../../../bytes/imports/copy-to-store.ts';
import { memoryStore } from '../../../support/memory/store.ts';

const SPARSE = { layout: 'sparse', size: 100 } as const;
const PLAIN = { layout: 'plain', size: 100 } as const;
const OURS = memoryStore({ id: 'staging', service: 'aws' });
const store = (service: string, sparse: boolean) => memoryStore({ id: 'store', service, sparse });

test.each([
  ['none within one service', SPARSE, store('aws', true), 0],
  ['none of a plain image within one service', PLAIN, store('aws', true), 0],
  ['all of an image that is written whole', SPARSE, store('aws', false), 100],
  ['what is stored, to another service', SPARSE, store('https://s3.example.org', true), 30],
  ['all of what is written whole, to another service', SPARSE, store('https://s3.example.org', false), 100],
  ['a plain image, to another service', PLAIN, store('https://s3.example.org', false), 30],
] as const)('of a copy, %s', (_, rendered, to, bytes) => {
  expect(bytesThrough(rendered, OURS, to, 30)).toBe(bytes);
});
