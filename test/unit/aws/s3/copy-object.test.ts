import type { CopyObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { moveObject } from '../../../../aws/s3/copy-object.ts';
import type { Place } from '../../../../aws/s3/places.ts';

test('a moved object leaves its tags behind: to copy them takes rights of their own', async () => {
  const sent: unknown[] = [];
  const client = { send: async (command: CopyObjectCommand) => sent.push(command.input) };
  const place = { id: 'staging', bucket: 'b', region: 'r', sparse: true, service: 'aws', client } as unknown as Place;

  await moveObject(place, 'drop/p/a.raw', 'refused/a.raw', { why: 'no image' });

  expect(sent).toEqual([
    expect.objectContaining({
      Key: 'refused/a.raw',
      TaggingDirective: 'REPLACE',
      MetadataDirective: 'REPLACE',
      Metadata: { why: 'no%20image' },
    }),
    { Bucket: 'b', Key: 'drop/p/a.raw' },
  ]);
});
