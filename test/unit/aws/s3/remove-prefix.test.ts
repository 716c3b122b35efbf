import { type DeleteObjectsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createS3Store } from '../../../../aws/s3/store.ts';
import { BackendUnavailable } from '../../../../core/errors.ts';

/** A bucket with three objects whose service fails at some of them: one list of error codes by key per DeleteObjects. */
function bucketFailing(...rounds: Readonly<Record<string, string>>[]) {
  const asked: string[][] = [];
  const client = new S3Client({ region: 'r' });
  client.send = async (command: object) => {
    if (command.constructor.name === 'ListMultipartUploadsCommand') return {};
    if (command.constructor.name === 'ListObjectsV2Command')
      return { Contents: ['p/1', 'p/2', 'p/3'].map((Key) => ({ Key })) };
    asked.push(((command as DeleteObjectsCommand).input.Delete?.Objects ?? []).map(({ Key = '' }) => Key));
    return { Errors: Object.entries(rounds.shift() ?? {}).map(([Key, Code]) => ({ Key, Code })) };
  };
  return { asked, store: createS3Store({ id: 'central', bucket: 'b', client, sparse: true, service: 'aws' }) };
}

describe('objects that the service could not remove in one request of many', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  test('are asked for again, and they alone', async () => {
    const { asked, store } = bucketFailing({ 'p/1': 'SlowDown', 'p/3': 'InternalError' }, { 'p/3': 'SlowDown' });

    const removed = store.removePrefix('p/');
    await vi.runAllTimersAsync();
    await removed;

    expect(asked).toEqual([['p/1', 'p/2', 'p/3'], ['p/1', 'p/3'], ['p/3']]);
  });

  test('fail the removal when they stay', async () => {
    const denied = { 'p/2': 'AccessDenied' };
    const { asked, store } = bucketFailing(denied, denied, denied, denied, denied, denied);

    const removed = expect(store.removePrefix('p/')).rejects.toThrow(BackendUnavailable);
    await vi.runAllTimersAsync();
    await removed;

    expect(asked).toEqual([['p/1', 'p/2', 'p/3'], ['p/2'], ['p/2'], ['p/2']]);
  });

  test('are gone when it says that they are', async () => {
    const { asked, store } = bucketFailing({ 'p/2': 'NoSuchKey' });

    await store.removePrefix('p/');

    expect(asked).toHaveLength(1);
  });
});
