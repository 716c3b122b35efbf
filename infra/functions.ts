/** Every Lambda function of workflows/topology.ts. They stay outside the VPC: all they talk to is AWS and the internet. */
import { FUNCTION_SECONDS, FUNCTIONS, type FunctionName, LONG_STEPS } from '../workflows/topology.ts';
import { reserved } from './concurrency.ts';
import { environmentOf } from './environment.ts';
import { key } from './kms.ts';
import { statementsOf } from './permissions.ts';
import { logical, METRICS_NAMESPACE, onLocalStack, settings } from './stage.ts';
import { targets } from './targets.ts';
import { hashingThread } from './worker-files.ts';

const WORKERS = [hashingThread()];
const HASHING: ReadonlySet<FunctionName> = new Set(['import-fetch', 'import-verify', 'import-plugin', 'import-hash']);

/** Above it a step asks for a container; an emulator has none. */
const limitOf = (name: FunctionName): Record<string, string> =>
  !onLocalStack && LONG_STEPS.some((step) => step === name)
    ? { GLIMPSE_FUNCTION_SECONDS: String(FUNCTION_SECONDS) }
    : {};

function declare(name: FunctionName): sst.aws.Function {
  const { handler, timeoutSeconds, memoryMiB } = FUNCTIONS[name];
  const own = reserved[name];
  return new sst.aws.Function(logical(name), {
    handler,
    description: `Glimpse ${name}`,
    timeout: `${timeoutSeconds} seconds`,
    memory: `${memoryMiB} MB`,
    environment: {
      ...environmentOf(name),
      ...limitOf(name),
      POWERTOOLS_SERVICE_NAME: name,
      POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
    },
    permissions: [
      ...statementsOf(name, targets),
      { actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], resources: ['*'] },
    ],
    copyFiles: [...settings.files.map((from) => ({ from })), ...(HASHING.has(name) ? WORKERS : [])],
    ...(own !== undefined && { concurrency: { reserved: own } }),
    transform: {
      function: (args) => {
        args.kmsKeyArn = key.arn;
        args.tracingConfig = { mode: 'Active' };
      },
    },
  });
}

export const functions = Object.fromEntries(
  (Object.keys(FUNCTIONS) as FunctionName[]).map((name) => [name, declare(name)]),
) as Record<FunctionName, sst.aws.Function>;
