import type { Catcher, Retrier, States, TaskState } from './asl.ts';
import type { FunctionName, LongStep } from './topology.ts';

/** The two shapes of a step: a function, and a function that may need longer than a function may run (decision 17 in docs/adr). */

/**
 * Of a call that found no room: once a minute in the middle, for the day that an import has. Several imports share what is reserved for
 * them, so a call waits for the batches of others to end. Some eight states that starve beside each other all day fill the history of
 * their execution, which then fails.
 */
const WAIT = {
  IntervalSeconds: 2,
  MaxAttempts: 1_440,
  BackoffRate: 2,
  MaxDelaySeconds: 120,
  JitterStrategy: 'FULL',
} as const;

/** Lambda itself, or what a step asked (aws/throttling.ts). */
const WHEN_THROTTLED: Retrier = { ErrorEquals: ['Lambda.TooManyRequestsException', 'Throttled'], ...WAIT };

/** Faults of the platform, not of the image: try again. Everything else is a kind of core/errors.ts and ends the import. */
const ON_FAULTS: Retrier = {
  ErrorEquals: [
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'BackendUnavailable',
    'StaleRevision',
  ],
  IntervalSeconds: 1,
  MaxAttempts: 4,
  BackoffRate: 2,
  MaxDelaySeconds: 30,
  JitterStrategy: 'FULL',
};

/**
 * A function that came to no end of its own: out of time, out of memory, its host lost, or its answer. Step Functions developer guide,
 * "Handling errors": `Lambda.Unknown` stands for any of them where Lambda gave no name.
 */
export const LOST = [
  'Lambda.Unknown',
  'Lambda.ClientExecutionTimeoutException',
  'Sandbox.Timedout',
  'Runtime.ExitError',
  'States.Timeout',
  'States.HeartbeatTimeout',
] as const;

const WHEN_LOST: Retrier = {
  ErrorEquals: LOST,
  IntervalSeconds: 5,
  MaxAttempts: 2,
  BackoffRate: 2,
  JitterStrategy: 'FULL',
};

const RETRY: readonly Retrier[] = [WHEN_THROTTLED, ON_FAULTS, WHEN_LOST];

/** Whatever a step fails with; `States.ALL` does not cover a state that grew too large. */
export const anyFailure = (next: string): readonly Catcher[] =>
  [['States.DataLimitExceeded'], ['States.ALL']].map((ErrorEquals) => ({
    ErrorEquals,
    ResultPath: '$.error',
    Next: next,
  }));

/** A step: a function called with the ids and what else it names; its answer replaces or joins the state. */
export function step(
  fn: FunctionName,
  timeoutSeconds: number,
  extra: Record<string, unknown> = {},
  retry: readonly Retrier[] = RETRY,
): Pick<TaskState, 'Type' | 'Resource' | 'Parameters' | 'TimeoutSeconds' | 'Retry'> {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: {
      FunctionName: `\${Fn.${fn}}`,
      Payload: { 'taskId.$': '$.taskId', 'imageId.$': '$.imageId', ...extra },
    },
    TimeoutSeconds: timeoutSeconds,
    Retry: retry,
  };
}

/** The step's own estimate, or a function that was too small for it. */
const TOO_LONG = ['StepTooLong', ...LOST] as const;

/**
 * A container that finds no room waits for it, an hour or two: what is wrong with the request itself has the same name. One whose host
 * went away is started anew; what the step finds wrong is no failure of its container.
 */
const RETRY_CONTAINER: readonly Retrier[] = [
  {
    ErrorEquals: ['ECS.AmazonECSException', 'ECS.ServerException', 'ECS.ThrottlingException'],
    ...WAIT,
    MaxAttempts: 90,
  },
  {
    ErrorEquals: ['States.TaskFailed'],
    IntervalSeconds: 10,
    MaxAttempts: 3,
    BackoffRate: 2,
    JitterStrategy: 'FULL',
  },
];

/** Above the function's own limit, which then strikes first: two that do the same would overlap. */
const LONG_STEP_SECONDS = 930;
/** Of the day that an import has. */
const CONTAINER_SECONDS = 82_800;

/** Of every step's task definition. */
export const CONTAINER_NAME = 'step';

const ecs = (name: string): string => `\${Ecs.${name}}`;

/**
 * The end of an iteration or of a branch. Nobody reads what it gives, and those of all iterations together may not be larger than a
 * state: a thousand stores with a cause each would be.
 */
export const ENDS = { ResultSelector: {}, ResultPath: '$', End: true } as const;

interface LongStepOptions {
  readonly next: { readonly Next: string } | typeof ENDS;
  /** Parameters besides the ids: name → path in the state. */
  readonly also?: Readonly<Record<string, string>>;
  readonly caught?: readonly Catcher[];
}

/**
 * Makes the states of a step that may outlive its function. When it says so, or does, the same handler runs as a container
 * (functions/tasks/run-step.ts), and Outcome raises what that recorded as its failure. Without containers it is its function alone.
 */
export function longSteps({ containers }: { readonly containers: boolean }) {
  return (name: string, fn: LongStep, { next, also = {}, caught = [] }: LongStepOptions): States => {
    const extra = Object.fromEntries(Object.entries(also).map(([key, path]) => [`${key}.$`, path]));
    // A lost function is not tried again where a container can do its work.
    const retry = containers ? [WHEN_THROTTLED, ON_FAULTS] : RETRY;
    const inFunction = { ...step(fn, LONG_STEP_SECONDS, extra, retry), ResultPath: null };
    const Catch = caught.length === 0 ? {} : { Catch: caught };
    if (!containers) return { [name]: { ...inFunction, ...Catch, ...next } };
    const tooLong: Catcher = { ErrorEquals: TOO_LONG, ResultPath: null, Next: `${name}InContainer` };
    return {
      [name]: { ...inFunction, Catch: [tooLong, ...caught], ...next },
      [`${name}InContainer`]: { ...container(fn, also), ...Catch, Next: `${name}Outcome` },
      [`${name}Outcome`]: {
        ...step('import-outcome', 60, { step: fn, ...extra }),
        ResultPath: null,
        ...Catch,
        ...next,
      },
    };
  };
}

/** The step as a container of the gateway's image. Overrides may have 8 KiB: ids and names, never the state. */
function container(fn: LongStep, also: Readonly<Record<string, string>>): Omit<TaskState, 'Next'> {
  const paths = { taskId: '$.taskId', imageId: '$.imageId', ...also };
  const words = Object.entries(paths).map(([key, path]) => `States.Format('${key}={}', ${path})`);
  const command = `States.Array('node', 'functions/tasks/run-step.ts', '${fn}', ${words.join(', ')})`;
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::ecs:runTask.sync',
    Parameters: {
      LaunchType: 'FARGATE',
      Cluster: ecs('cluster'),
      TaskDefinition: `\${Task.${fn}}`,
      NetworkConfiguration: {
        AwsvpcConfiguration: {
          Subnets: [ecs('subnet-a'), ecs('subnet-b')],
          SecurityGroups: [ecs('security-group')],
          AssignPublicIp: 'ENABLED',
        },
      },
      Overrides: { ContainerOverrides: [{ Name: CONTAINER_NAME, 'Command.$': command }] },
    },
    TimeoutSeconds: CONTAINER_SECONDS,
    ResultPath: null,
    Retry: RETRY_CONTAINER,
  };
}
