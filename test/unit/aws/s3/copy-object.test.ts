import { type CopyObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { createS3Store } from '../../../../aws/s3/store.ts';

test('a copied object leaves its tags behind: to copy them takes rights of their own', async () => {
  const sent: unknown[] = [];
  const client = new S3Client({ region: 'r' });
  client.send = async (command: CopyObjectCommand) => sent.push(command.input);
  const store = createS3Store({ id: 'staging', bucket: 'b', client, sparse: true, service: 'aws' });

  await store.copyObject({ store, key: 'drop/p/a.raw' }, 'refused/a.raw', { metadata: { why: 'no image' } });

  expect(sent).toEqual([
    expect.objectContaining({
      Key: 'refused/a.raw',
      TaggingDirective: 'REPLACE',
      MetadataDirective: 'REPLACE',
      Metadata: { why: 'no%20image' },
    }),
  ]);
});
