import { createImageListing } from '../../aws/dynamodb/image-list.ts';
import { createImageRepository } from '../../aws/dynamodb/images.ts';
import { createMemberRepository } from '../../aws/dynamodb/members.ts';
import { imageListingSuite } from '../support/conformance/image-list.ts';
import { startTable } from '../support/table.ts';

imageListingSuite(async () => {
  const { table, close } = await startTable();
  return {
    images: createImageRepository(table, { clock: { now: () => Date.now() } }),
    members: createMemberRepository(table),
    imageList: createImageListing(table),
    close,
  };
});
