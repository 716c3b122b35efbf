import { describe, expect, test } from 'vitest';
import { silenceOf } from '../../../../core/janitor/silence.ts';

const MINUTE = 60_000;
const NOW = 100 * MINUTE;
const batch = (bytesDone: number, bytesTotal: number, minutesAgo: number) => ({
  bytesDone,
  bytesTotal,
  atMs: NOW - minutesAgo * MINUTE,
});
const failed = { ...batch(1, 10, 9), error: { kind: 'ImageRefused', message: 'no image' } };

describe('a running import', () => {
  test.each([
    ['that has begun nothing only waits', [], undefined],
    [
      'whose batches have all ended waits for the next call to find room',
      [batch(10, 10, 60), batch(5, 5, 60)],
      undefined,
    ],
    ['whose batch failed waits for its execution to say so', [failed], undefined],
    ['works while it reports', [batch(3, 10, 4)], undefined],
    ['works while one of its batches reports', [batch(3, 10, 30), batch(10, 10, 1)], undefined],
    ['is dead when what it began is silent', [batch(3, 10, 5)], 5],
    ['is dead when a download of unknown length is silent', [batch(3, 0, 6)], 6],
    ['is dead when one batch is silent and the others have ended', [batch(3, 10, 8), batch(10, 10, 7)], 7],
  ])('%s', (_, batches, minutes) => {
    expect(silenceOf(NOW - 60 * MINUTE, batches, NOW)).toBe(minutes === undefined ? undefined : minutes * MINUTE);
  });

  test('whose record changed of late is not silent', () => {
    expect(silenceOf(NOW - MINUTE, [batch(3, 10, 60)], NOW)).toBeUndefined();
  });
});
