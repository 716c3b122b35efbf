import { expect, test } from 'vitest';
import type { ImportAnswer } from '../../../api/imports/answers.ts';
import { importLine } from '../../../cli/imports/line.ts';

const IMPORT: ImportAnswer = {
  ...{ id: 't1', image_id: 'i1', stores: ['central', 'edge'], message: '' },
  method: 'web-download',
  status: 'processing',
  ...{ owner: 'demo', user_id: null, request_id: null, expires_at: null, self: '/glimpse/v1/imports/t1' },
  ...{ created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' },
};
const progress = { phase: 'fetch', percent: 43.7, bytes_done: 3 * 2 ** 29, bytes_total: 2 ** 32 };

test('an import at work says what it does and how far it is', () => {
  expect(importLine({ ...IMPORT, progress })).toBe(
    't1  processing; web-download of i1 to central, edge; fetch, 43%, 1.5 GiB of 4 GiB',
  );
});

test('a cancelled one says how far it was, and until when it may be tried again', () => {
  const ended = {
    status: 'failure',
    message: 'The import was cancelled',
    cancelled_at: '2026-01-01T00:00:00Z',
  } as const;
  expect(importLine({ ...IMPORT, ...ended, progress, retry_until: '2026-01-01T01:00:00Z' })).toBe(
    't1  cancelled; web-download of i1 to central, edge; fetch, 43%, 1.5 GiB of 4 GiB; The import was cancelled; retry until 2026-01-01T01:00:00Z',
  );
});
