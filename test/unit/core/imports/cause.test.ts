import { describe, expect, it } from 'vitest';
import { causeOf } from '../../../../core/imports/cause.ts';

const LATE = 'The import took longer than allowed';
const stopped = (container: object): string =>
  JSON.stringify({ StoppedReason: 'Essential container in task exited', Containers: [{ Name: 'step', ...container }] });

describe('the cause of a failed import, in words', () => {
  it.each([
    [
      'of a function',
      { Error: 'ImageRefused', Cause: '{"errorType":"ImageRefused","errorMessage":"no image"}' },
      'no image',
    ],
    [
      'of a state within a state',
      { Error: 'X', Cause: JSON.stringify({ Error: 'Y', Cause: '{"errorMessage":"deep"}' }) },
      'deep',
    ],
    [
      'of a function that ran out of time',
      { Error: 'Sandbox.Timedout', Cause: '{"errorMessage":"RequestId: 1"}' },
      LATE,
    ],
    [
      'of a function that ran out of memory',
      {
        Error: 'Runtime.ExitError',
        Cause: '{"errorMessage":"RequestId: 1 Error: Runtime exited with error: signal: killed"}',
      },
      'A step of the import ended before it was done, for want of memory or because its host was lost',
    ],
    [
      'of a function whose answer was lost',
      { Error: 'Lambda.ClientExecutionTimeoutException', Cause: '{"errorMessage":"HTTP request timed out"}' },
      LATE,
    ],
    ['of a state that ran out of time', { Error: 'States.Timeout' }, LATE],
    [
      'of a container that ran out of memory',
      { Error: 'States.TaskFailed', Cause: stopped({ ExitCode: 137, Reason: 'OutOfMemoryError: killed' }) },
      'The container of the step ended with exit code 137: OutOfMemoryError: killed',
    ],
    [
      'of a container that was never started',
      { Error: 'States.TaskFailed', Cause: stopped({}) },
      'The container of the step ended: Essential container in task exited',
    ],
    ['that was cut off', { Error: 'X', Cause: '{"errorMessage":"beg' }, '{"errorMessage":"beg'],
    ['that has no words', { Error: 'ECS.AccessDeniedException' }, 'ECS.AccessDeniedException'],
    [
      'with orders for a terminal',
      {
        Error: 'FetchFailed',
        Cause: JSON.stringify({ errorMessage: 'answered 404 \u001b[2J\u0007\u202ego away\r\n' }),
      },
      'answered 404 \ufffd[2J\ufffd\ufffdgo away\ufffd\ufffd',
    ],
    [
      'without end',
      { Error: 'ImageRefused', Cause: JSON.stringify({ errorMessage: 'x'.repeat(100_000) }) },
      `${'x'.repeat(2_000)}…`,
    ],
    ['that is not known', undefined, 'The import failed'],
  ])('%s', (_, error, words) => {
    expect(causeOf(error)).toBe(words);
  });
});
