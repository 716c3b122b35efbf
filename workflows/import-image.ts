import type { StateMachine } from './asl.ts';
import { anyFailure, ENDS, longSteps, step } from './steps.ts';

/**
 * The import of one image (design section 6). Input: `{ taskId, imageId }`; the execution's name is the task id.
 * States hand on ids and a few flags; what a step found out is on the task record, bytes and plans are objects in buckets.
 * `${Fn.name}` is replaced by the function's ARN, `${Task.name}` and `${Ecs.…}` by what a container is started with. Every step is idempotent, so each may be retried and the whole may be re-driven.
 */

/** Every failure of the main line goes to Revert with its name and cause; `$.taskId` and `$.imageId` stay. */
const TO_REVERT = anyFailure('Revert');

const machine = (longStep: ReturnType<typeof longSteps>): StateMachine => ({
  Comment:
    'Import an image: fetch, verify its signature, inspect, plugins, render, hash and copy to every store, finish; or revert with the cause',
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
        'signed.$': '$.Payload.signed',
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
    ...longStep('Fetch', 'import-fetch', { next: { Next: 'IsSigned' }, caught: TO_REVERT }),
    IsSigned: {
      Type: 'Choice',
      Comment: 'What arrived is verified before anything looks into it or changes it',
      Choices: [{ Variable: '$.signed', BooleanEquals: true, Next: 'VerifySignature' }],
      Default: 'Inspect',
    },
    ...longStep('VerifySignature', 'import-verify', { next: { Next: 'Inspect' }, caught: TO_REVERT }),
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
        States: longStep('RunPlugin', 'import-plugin', { next: ENDS, also: { plugin: '$.plugin' } }),
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
    ...longStep('Gather', 'import-gather', { next: { Next: 'HashAndCopy' }, caught: TO_REVERT }),
    HashAndCopy: {
      Type: 'Parallel',
      Branches: [
        { StartAt: 'Hash', States: longStep('Hash', 'import-hash', { next: ENDS }) },
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
                  ...longStep('CopyToStore', 'import-copy', {
                    next: ENDS,
                    also: { store: '$.store' },
                    caught: anyFailure('StoreFailed'),
                  }),
                  StoreFailed: {
                    ...step('import-store-failed', 60, { 'store.$': '$.store', 'error.$': '$.error' }),
                    ...ENDS,
                  },
                },
              },
              ...ENDS,
            },
          },
        },
      ],
      ResultPath: null,
      Catch: TO_REVERT,
      Next: 'Finish',
    },
    ...longStep('HashLocation', 'import-hash', { next: { Next: 'Finish' }, caught: TO_REVERT }),
    Finish: { ...step('import-finish', 60), ResultPath: null, Catch: TO_REVERT, Next: 'CleanStaging' },
    CleanStaging: { ...step('import-clean', 300), ResultPath: null, Next: 'Done' },
    Done: { Type: 'Succeed' },
    Revert: { ...step('import-revert', 120, { 'error.$': '$.error' }), ResultPath: null, Next: 'CleanAfterRevert' },
    CleanAfterRevert: { ...step('import-clean', 300), ResultPath: null, Next: 'Failed' },
    Failed: { Type: 'Fail', Error: 'ImportFailed', Cause: 'The task names the cause' },
  },
});

export const importImage: StateMachine = machine(longSteps({ containers: true }));

/** Where nothing starts containers (an emulator without ECS): a step has its function's time and no more. */
export const importImageInFunctions: StateMachine = machine(longSteps({ containers: false }));
