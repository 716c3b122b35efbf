import type { Retrier, StateMachine, TaskState } from './asl.ts';
import type { FunctionName } from './topology.ts';

/**
 * The import of one image (design section 6). Input: `{ taskId, imageId }`; the execution's name is the task id.
 * States hand on ids and a few flags; what a step found out is on the task record, bytes and plans are objects in buckets.
 * `${Fn.name}` is replaced by the function's ARN. Every step is idempotent, so each may be retried and the whole may be re-driven.
 */

/** Faults of the platform, not of the image: try again. Everything else is a kind of core/errors.ts and ends the import. */
const RETRY: readonly Retrier[] = [
  {
    ErrorEquals: [
      'Lambda.ServiceException',
      'Lambda.AWSLambdaException',
      'Lambda.SdkClientException',
      'Lambda.TooManyRequestsException',
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
function step(
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

/** Every failure of the main line goes to Revert with its name and cause; `$.taskId` and `$.imageId` stay. */
const TO_REVERT = [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Revert' }] as const;

export const importImage = {
  Comment:
    'Import an image: fetch, inspect, plugins, render, hash and copy to every store, finish; or revert with the cause',
  StartAt: 'Begin',
  // A day: the longest import there can be. The janitor ends silent ones within minutes.
  TimeoutSeconds: 86_400,
  States: {
    Begin: {
      ...step('import-begin', 60),
      ResultSelector: {
        'taskId.$': '$.Payload.taskId',
        'imageId.$': '$.Payload.imageId',
        'ended.$': '$.Payload.ended',
        'hashOnly.$': '$.Payload.hashOnly',
        'plugins.$': '$.Payload.plugins',
        'stores.$': '$.Payload.stores',
        'allStoresMustSucceed.$': '$.Payload.allStoresMustSucceed',
      },
      Catch: TO_REVERT,
      Next: 'HasItEnded',
    },
    HasItEnded: {
      Type: 'Choice',
      Comment: 'A re-driven execution whose task is over only has to clean; bytes of a location stay where they are',
      Choices: [
        { Variable: '$.ended', BooleanEquals: true, Next: 'CleanStaging' },
        { Variable: '$.hashOnly', BooleanEquals: true, Next: 'HashLocation' },
      ],
      Default: 'Fetch',
    },
    Fetch: { ...step('import-fetch', 900), ResultPath: null, Catch: TO_REVERT, Next: 'Inspect' },
    Inspect: { ...step('import-inspect', 120), ResultPath: null, Catch: TO_REVERT, Next: 'Plugins' },
    Plugins: {
      Type: 'Map',
      Comment: 'One after the other, in the configured order',
      ItemsPath: '$.plugins',
      ItemSelector: { 'taskId.$': '$.taskId', 'imageId.$': '$.imageId', 'plugin.$': '$$.Map.Item.Value' },
      MaxConcurrency: 1,
      ItemProcessor: {
        ProcessorConfig: { Mode: 'INLINE' },
        StartAt: 'RunPlugin',
        States: {
          RunPlugin: { ...step('import-plugin', 900, { 'plugin.$': '$.plugin' }), ResultPath: null, End: true },
        },
      },
      ResultPath: null,
      Catch: TO_REVERT,
      Next: 'Plan',
    },
    Plan: {
      ...step('import-plan', 300),
      ResultSelector: { 'batches.$': '$.Payload.batches' },
      ResultPath: '$.plan',
      Catch: TO_REVERT,
      Next: 'Render',
    },
    Render: {
      Type: 'Map',
      Comment:
        'Batches of slices. A domain failure is written to the batch record and raised by Gather: a distributed map hides its name',
      ItemsPath: '$.plan.batches',
      ItemSelector: { 'taskId.$': '$.taskId', 'imageId.$': '$.imageId', 'batch.$': '$$.Map.Item.Value' },
      MaxConcurrency: 200,
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        StartAt: 'RenderBatch',
        States: {
          RenderBatch: { ...step('import-render', 900, { 'batch.$': '$.batch' }), ResultSelector: {}, End: true },
        },
      },
      ResultPath: null,
      Catch: TO_REVERT,
      Next: 'Gather',
    },
    Gather: { ...step('import-gather', 120), ResultPath: null, Catch: TO_REVERT, Next: 'HashAndCopy' },
    HashAndCopy: {
      Type: 'Parallel',
      Branches: [
        { StartAt: 'Hash', States: { Hash: { ...step('import-hash', 900), ResultPath: null, End: true } } },
        {
          StartAt: 'CopyToStores',
          States: {
            CopyToStores: {
              Type: 'Map',
              ItemsPath: '$.stores',
              ItemSelector: {
                'taskId.$': '$.taskId',
                'imageId.$': '$.imageId',
                'store.$': '$$.Map.Item.Value',
                'allStoresMustSucceed.$': '$.allStoresMustSucceed',
              },
              MaxConcurrency: 40,
              ItemProcessor: {
                ProcessorConfig: { Mode: 'INLINE' },
                StartAt: 'CopyToStore',
                States: {
                  CopyToStore: {
                    ...step('import-copy', 900, { 'store.$': '$.store' }),
                    ResultPath: null,
                    Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'StoreFailed' }],
                    End: true,
                  },
                  StoreFailed: {
                    ...step('import-store-failed', 60, { 'store.$': '$.store', 'error.$': '$.error' }),
                    ResultPath: null,
                    End: true,
                  },
                },
              },
              ResultPath: null,
              End: true,
            },
          },
        },
      ],
      ResultPath: null,
      Catch: TO_REVERT,
      Next: 'Finish',
    },
    HashLocation: { ...step('import-hash', 900), ResultPath: null, Catch: TO_REVERT, Next: 'Finish' },
    Finish: { ...step('import-finish', 60), ResultPath: null, Catch: TO_REVERT, Next: 'CleanStaging' },
    CleanStaging: { ...step('import-clean', 300), ResultPath: null, Next: 'Done' },
    Done: { Type: 'Succeed' },
    Revert: { ...step('import-revert', 120, { 'error.$': '$.error' }), ResultPath: null, Next: 'CleanAfterRevert' },
    CleanAfterRevert: { ...step('import-clean', 300), ResultPath: null, Next: 'Failed' },
    Failed: { Type: 'Fail', Error: 'ImportFailed', Cause: 'The task names the cause' },
  },
} as const satisfies StateMachine;
