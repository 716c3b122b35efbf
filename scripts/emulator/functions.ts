/** Puts packaged functions at an endpoint of Lambda. Idempotent: what is there in the same words stays as it is. */
import { createHash } from 'node:crypto';
import {
  CreateFunctionCommand,
  type FunctionConfiguration,
  GetFunctionCommand,
  LambdaClient,
  type LambdaClientConfig,
  ResourceNotFoundException,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import type { PackagedFunction } from '../../local/lambda/sandbox.ts';
import { zipFolder } from './zip.ts';

/** An emulator asks no policies: any role will do. */
const ROLE = 'arn:aws:iam::000000000000:role/glimpse-function';
const READY_SECONDS = 120;
/** Packages are megabytes, and an emulator unpacks each. */
const AT_ONCE = 3;

/** @throws what the SDK throws when the endpoint refuses or is not there */
export async function putFunctions(
  client: LambdaClientConfig,
  functions: Readonly<Record<string, PackagedFunction>>,
): Promise<void> {
  const lambda = new LambdaClient(client);
  const waiting = Object.entries(functions);
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await put(lambda, ...next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  lambda.destroy();
}

async function put(client: LambdaClient, FunctionName: string, fn: PackagedFunction): Promise<void> {
  const ZipFile = await zipFolder(fn.folder);
  const settings = {
    FunctionName,
    Handler: fn.handler,
    Runtime: 'nodejs24.x' as const,
    Role: ROLE,
    Timeout: fn.timeoutSeconds,
    MemorySize: fn.memoryMiB,
    Environment: { Variables: { ...fn.environment } },
  };
  const waiter = { client, maxWaitTime: READY_SECONDS, minDelay: 1 };
  const found = await configurationOf(client, FunctionName);
  if (found === undefined) {
    await client.send(new CreateFunctionCommand({ ...settings, Code: { ZipFile } }));
    await waitUntilFunctionActiveV2(waiter, { FunctionName });
    return;
  }
  if (found.CodeSha256 !== createHash('sha256').update(ZipFile).digest('base64')) {
    await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }));
    await waitUntilFunctionUpdatedV2(waiter, { FunctionName });
  }
  if (isSame(found, settings)) return;
  await client.send(new UpdateFunctionConfigurationCommand(settings));
  await waitUntilFunctionUpdatedV2(waiter, { FunctionName });
}

async function configurationOf(client: LambdaClient, FunctionName: string): Promise<FunctionConfiguration | undefined> {
  try {
    return (await client.send(new GetFunctionCommand({ FunctionName }))).Configuration;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

const sorted = (variables: Readonly<Record<string, string>> = {}): string =>
  JSON.stringify(Object.entries(variables).toSorted(([a], [b]) => (a < b ? -1 : 1)));

const isSame = (
  found: FunctionConfiguration,
  wanted: Pick<FunctionConfiguration, 'Handler' | 'Timeout' | 'MemorySize' | 'Environment'>,
): boolean =>
  found.Handler === wanted.Handler &&
  found.Timeout === wanted.Timeout &&
  found.MemorySize === wanted.MemorySize &&
  sorted(found.Environment?.Variables) === sorted(wanted.Environment?.Variables);
