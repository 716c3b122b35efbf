import { describe, expect, test } from 'vitest';
import { importImage, importImageInFunctions } from '../../../workflows/import-image.ts';
import { RULES } from '../../../workflows/topology.ts';
import { outcomesOf } from './outcomes.ts';

/**
 * Names that Step Functions gives what ends a call of a function (developer guide, "Handling errors in Step Functions workflows" and
 * "Handle transient Lambda service exceptions"), a container, or a state.
 */
const LOST = [
  'Lambda.Unknown',
  'Lambda.ClientExecutionTimeoutException',
  'Sandbox.Timedout',
  'Runtime.ExitError',
  'States.Timeout',
  'States.HeartbeatTimeout',
] as const;
const PLATFORM = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'BackendUnavailable',
  'StaleRevision',
] as const;
const THROTTLED = ['Lambda.TooManyRequestsException', 'Throttled'] as const;
const DOMAIN = [
  'ImageRefused',
  'LimitExceeded',
  'States.TaskFailed',
  'States.DataLimitExceeded',
  'Runtime.ImportModuleError',
] as const;
/** Nothing catches it: the execution fails, and the rule for that reverts. */
const TERMINAL = ['States.Runtime'] as const;
const IN_CONTAINER = [
  'ECS.AmazonECSException',
  'ECS.ServerException',
  'ECS.ThrottlingException',
  'States.TaskFailed',
] as const;

const FUNCTION_NAMES = [...LOST, ...PLATFORM, ...THROTTLED, ...DOMAIN, 'StepTooLong', ...TERMINAL];
const CONTAINER_NAMES = [
  ...IN_CONTAINER,
  'ECS.AccessDeniedException',
  'States.Timeout',
  'States.DataLimitExceeded',
  ...TERMINAL,
];

type Outcomes = Readonly<Record<string, string>>;

/** What each name leads to: retries first, then where the failure is caught at last. */
const table = (...rows: readonly (readonly [names: readonly string[], outcome: string])[]): Outcomes =>
  Object.fromEntries(rows.flatMap(([names, outcome]) => names.map((name) => [name, outcome])));

/** A step of the main line: tried again while that can help, then the import is undone. */
const step = (end: string): Outcomes =>
  table(
    [LOST, `retry, then ${end}`],
    [PLATFORM, `retry, then ${end}`],
    [THROTTLED, `wait, then ${end}`],
    [DOMAIN, end],
    [['StepTooLong'], end],
    [TERMINAL, 'the event of a failed execution'],
  );
/** A step that may be long goes on as a container when its function is lost. */
const long = (name: string, end: string): Outcomes => ({
  ...step(end),
  ...table([LOST, `${name}InContainer`], [['StepTooLong'], `${name}InContainer`]),
});
const container = (end: string): Outcomes =>
  table(
    [['ECS.AmazonECSException', 'ECS.ServerException', 'ECS.ThrottlingException'], `wait, then ${end}`],
    [['States.TaskFailed', 'ECS.AccessDeniedException'], `retry, then ${end}`],
    [['States.Timeout', 'States.DataLimitExceeded'], end],
    [TERMINAL, 'the event of a failed execution'],
  );
/** After the end of the task nothing is left to catch: what an event then starts changes nothing, or ends what Revert began. */
const last = step('the event of a failed execution');

const LONG: Readonly<Record<string, string>> = {
  Fetch: 'Revert',
  VerifySignature: 'Revert',
  RunPlugin: 'Revert',
  Gather: 'Revert',
  Hash: 'Revert',
  CopyToStore: 'StoreFailed',
  HashLocation: 'Revert',
};
const SHORT: Readonly<Record<string, Outcomes>> = {
  Begin: step('Revert'),
  Inspect: step('Revert'),
  Plan: step('Revert'),
  // A distributed map hides the name of its child's failure, and no child can pass the map by.
  RenderBatch: { ...step('Revert'), ...table([TERMINAL, 'Revert']) },
  StoreFailed: step('Revert'),
  Finish: step('Revert'),
  Revert: last,
  CleanStaging: last,
  CleanAfterRevert: last,
};

describe('each state under each name of a failure', () => {
  const expected: Record<string, Outcomes> = {
    ...SHORT,
    ...Object.fromEntries(
      Object.entries(LONG).flatMap(([name, end]) => [
        [name, long(name, end)],
        [`${name}InContainer`, container(end)],
        [`${name}Outcome`, step(end)],
      ]),
    ),
  };
  const found = outcomesOf(importImage, { functions: FUNCTION_NAMES, containers: CONTAINER_NAMES });

  test('no state is forgotten', () => {
    expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
  });

  test.each(Object.keys(expected))('%s', (name) => {
    expect(found[name]).toEqual(expected[name]);
  });
});

describe('where nothing starts containers', () => {
  const found = outcomesOf(importImageInFunctions, { functions: FUNCTION_NAMES, containers: CONTAINER_NAMES });

  test.each(
    Object.entries({ ...SHORT, ...Object.fromEntries(Object.entries(LONG).map(([n, end]) => [n, step(end)])) }),
  )('%s', (name, expected) => {
    expect(found[name]).toEqual(expected);
  });
});

test('an execution that nothing caught is reverted by an event', () => {
  expect(RULES.find(({ name }) => name === 'import-ended')).toMatchObject({
    pattern: { detail: { status: expect.arrayContaining(['FAILED', 'TIMED_OUT', 'ABORTED']) } },
    target: 'import-ended',
  });
});
