import { describe } from 'vitest';
import { createImageListing } from '../../aws/dynamodb/image-list.ts';
import { createImageRepository } from '../../aws/dynamodb/images.ts';
import { createMemberRepository } from '../../aws/dynamodb/members.ts';
import { imageListingSuite } from '../support/conformance/image-list.ts';
import { startTable } from '../support/table.ts';

describe.each([1, 4])('visibilities over %i partitions', (visibilityShards) => {
  imageListingSuite(async () => {
    const { table, close } = await startTable();
    return {
      images: createImageRepository(table, { clock: { now: () => Date.now() }, visibilityShards }),
      members: createMemberRepository(table),
      imageList: createImageListing(table, { visibilityShards }),
      close,
    };
  });
});
