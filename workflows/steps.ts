import type { Catcher, Retrier, States, TaskState } from './asl.ts';
import type { FunctionName, LongStep } from './topology.ts';

/** The two shapes of a step: a function, and a function that may need longer than a function may run (decision 17 in docs/adr). */

/** Faults of the platform, not of the image: try again. Everything else is a kind of core/errors.ts and ends the import. */
const RETRY: readonly Retrier[] = [
  {
    // Several imports at once may use up the account's concurrency: a call waits for the batches of others to end.
    ErrorEquals: ['Lambda.TooManyRequestsException'],
    IntervalSeconds: 2,
    MaxAttempts: 10,
    BackoffRate: 2,
    MaxDelaySeconds: 60,
    JitterStrategy: 'FULL',
  },
  {
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
  },
];

/** A step: a function called with the ids and what else it names; its answer replaces or joins the state. */
export function step(
  fn: FunctionName,
  timeoutSeconds: number,
  extra: Record<string, unknown> = {},
): Pick<TaskState, 'Type' | 'Resource' | 'Parameters' | 'TimeoutSeconds' | 'Retry'> {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: {
      FunctionName: `\${Fn.${fn}}`,
      Payload: { 'taskId.$': '$.taskId', 'imageId.$': '$.imageId', ...extra },
    },
    TimeoutSeconds: timeoutSeconds,
    Retry: RETRY,
  };
}

/** The step's own estimate, and its function's time limit. */
const TOO_LONG = ['StepTooLong', 'Sandbox.Timedout', 'States.Timeout'] as const;

/** A container that could not be placed, or whose host went away, is started anew; what the step finds wrong is no failure of its container. */
const RETRY_CONTAINER: readonly Retrier[] = [
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

interface LongStepOptions {
  readonly next: { readonly Next: string } | { readonly End: true };
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
    const inFunction = { ...step(fn, LONG_STEP_SECONDS, extra), ResultPath: null };
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
