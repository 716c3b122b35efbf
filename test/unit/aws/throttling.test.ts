import { DynamoDBClient, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { S3ServiceException } from '@aws-sdk/client-s3';
import { GetCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test, vi } from 'vitest';
import { tableOf } from '../../../aws/dynamodb/table.ts';
import { translate } from '../../../aws/s3/failures.ts';
import { isThrottling } from '../../../aws/throttling.ts';
import { BackendUnavailable, NotFound, Throttled } from '../../../core/errors.ts';

vi.mock('node:timers/promises', () => ({ setTimeout: async () => {} }));

const cancelled = (...codes: string[]) =>
  new TransactionCanceledException({
    message: 'Transaction cancelled',
    $metadata: {},
    CancellationReasons: codes.map((Code) => ({ Code })),
  });
const named = (name: string) => Object.assign(new Error(name), { name });

describe('isThrottling', () => {
  test.each([
    ['a key that is asked too much', named('ProvisionedThroughputExceededException'), true],
    ['a table or an account', named('ThrottlingException'), true],
    ['S3 that wants to be asked more slowly', named('SlowDown'), true],
    ['a transaction for one throttled write', cancelled('None', 'ProvisionedThroughputExceeded', 'None'), true],
    ['a transaction for several', cancelled('ThrottlingError', 'ProvisionedThroughputExceeded'), true],
    ['a transaction whose condition failed, too', cancelled('ConditionalCheckFailed', 'ThrottlingError'), false],
    ['a transaction in the way of another', cancelled('TransactionConflict', 'None'), false],
    ['a transaction without reasons', cancelled(), false],
    ['a condition', named('ConditionalCheckFailedException'), false],
    ['no error', 'SlowDown', false],
  ])('%s', (_what, error, expected) => {
    expect(isThrottling(error)).toBe(expected);
  });
});

describe('a table that takes no more', () => {
  /** A table whose service fails with each of `failures` in turn, then answers. */
  function failing(...failures: Error[]) {
    let asked = 0;
    const client = new DynamoDBClient({ region: 'us-east-1' });
    client.middlewareStack.add(() => () => answer() as never, { name: 'answers', step: 'initialize', priority: 'low' });
    const answer = async () => {
      const failure = failures[asked++];
      if (failure !== undefined) throw failure;
      return { output: {}, response: {} };
    };
    return { table: tableOf(client, 't'), asked: () => asked };
  }
  const write = new TransactWriteCommand({ TransactItems: [{ Put: { TableName: 't', Item: { pk: 'a' } } }] });
  const busy = () => cancelled('ProvisionedThroughputExceeded');

  test('a cancelled transaction is tried again', async () => {
    const { table, asked } = failing(busy(), busy());

    const written = table.client.send(write);

    await expect(written).resolves.toBeDefined();
    expect(asked()).toBe(3);
  });

  test('and is Throttled when it stays so', async () => {
    const { table, asked } = failing(...Array.from({ length: 20 }, busy));

    const written = table.client.send(write).catch((error: unknown) => error);

    expect(await written).toBeInstanceOf(Throttled);
    expect(asked()).toBe(6);
  });

  test('what the SDK has tried often enough is Throttled at once', async () => {
    const { table, asked } = failing(named('ProvisionedThroughputExceededException'));

    await expect(table.client.send(new GetCommand({ TableName: 't', Key: { pk: 'a' } }))).rejects.toThrow(Throttled);
    expect(asked()).toBe(1);
  });

  test.each([
    ['nobody listens', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })],
    ['it does not answer in time', named('TimeoutError')],
    ['it fails by its own fault', Object.assign(named('InternalServerError'), { $metadata: { httpStatusCode: 500 } })],
  ])('where %s it is not available', async (_, failure) => {
    await expect(failing(failure).table.client.send(write)).rejects.toThrow(BackendUnavailable);
  });

  test('any other failure stays what it is', async () => {
    const failure = cancelled('ConditionalCheckFailed');
    await expect(failing(failure).table.client.send(write)).rejects.toBe(failure);
  });
});

describe('a store that takes no more', () => {
  const failed = (name: string, httpStatusCode: number) =>
    translate(new S3ServiceException({ name, $fault: 'server', $metadata: { httpStatusCode } }), { id: 'fast' }, 'k');

  test.each([
    ['SlowDown', 503, Throttled],
    ['ServiceUnavailable', 503, BackendUnavailable],
    ['NoSuchKey', 404, NotFound],
  ])('%s', (name, status, kind) => {
    expect(failed(name, status)).toBeInstanceOf(kind);
  });
});
