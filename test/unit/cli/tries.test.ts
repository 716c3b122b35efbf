import { expect, test } from 'vitest';
import { errorOf } from '../../../api/errors.ts';
import { isWorthATry, trying } from '../../../cli/transfer/tries.ts';

const FAST = { most: 4, firstPauseMs: 1, longestPauseMs: 2 };
const withCode = (code: string): Error => Object.assign(new Error(code), { code });
const answered = (status: number): Error => errorOf(status, new Headers(), 'x', 'GET /');

test.each([
  ['a broken connection', withCode('ECONNRESET'), true],
  ['what fetch hides', new TypeError('fetch failed', { cause: withCode('UND_ERR_SOCKET') }), true],
  ['a name that is not found for now', withCode('EAI_AGAIN'), true],
  ['a service that is away', answered(503), true],
  ['a limit of pace', answered(429), true],
  ['a full disk', withCode('ENOSPC'), false],
  ['a refusal', answered(403), false],
  ['a token that ended', answered(401), false],
  ['a mistake of ours', new TypeError('x is not a function'), false],
])('%s is worth another try: %#', (_what, error, expected) => {
  expect(isWorthATry(error)).toBe(expected);
});

test('goes on until it goes well, and tells of each failure', async () => {
  const told: unknown[] = [];
  let calls = 0;
  const call = async (): Promise<string> => {
    calls += 1;
    if (calls < 3) throw withCode('ECONNRESET');
    return 'well';
  };

  expect(await trying(call, { tries: FAST, onRetry: (error) => told.push(error) })).toBe('well');
  expect(told).toHaveLength(2);
});

test('ends with the last failure, and at once with what another try does not mend', async () => {
  let calls = 0;
  const failing = (error: Error) => async (): Promise<never> => {
    calls += 1;
    throw error;
  };

  await expect(trying(failing(withCode('EPIPE')), { tries: FAST })).rejects.toThrow('EPIPE');
  expect(calls).toBe(FAST.most);
  await expect(trying(failing(withCode('ENOSPC')), { tries: FAST })).rejects.toThrow('ENOSPC');
  expect(calls).toBe(FAST.most + 1);
});

test('a signal ends the waiting between tries', async () => {
  const abort = new AbortController();
  const call = async (): Promise<never> => {
    setTimeout(() => abort.abort(new Error('enough')), 1);
    throw withCode('EPIPE');
  };

  await expect(
    trying(call, { tries: { most: 9, firstPauseMs: 3_600_000, longestPauseMs: 3_600_000 }, signal: abort.signal }),
  ).rejects.toThrow();
  expect(abort.signal.aborted).toBe(true);
});
