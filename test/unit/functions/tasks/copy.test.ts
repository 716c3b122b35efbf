import { expect, test } from 'vitest';
import { bytesThrough } from '../../../../functions/tasks/copy.ts';

const SPARSE = { layout: 'sparse', size: 100 } as const;
const PLAIN = { layout: 'plain', size: 100 } as const;
const OURS = { service: 'aws', sparse: true };

test.each([
  ['none within one service', SPARSE, OURS, 0],
  ['none of a plain image within one service', PLAIN, OURS, 0],
  ['all of an image that is written whole', SPARSE, { service: 'aws', sparse: false }, 100],
  ['what is stored, to another service', SPARSE, { service: 'https://s3.example.org', sparse: true }, 30],
  [
    'all of what is written whole, to another service',
    SPARSE,
    { service: 'https://s3.example.org', sparse: false },
    100,
  ],
  ['a plain image, to another service', PLAIN, { service: 'https://s3.example.org', sparse: false }, 30],
] as const)('of a copy, %s', (_, rendered, to, bytes) => {
  expect(bytesThrough(rendered, OURS, to, 30)).toBe(bytes);
});
