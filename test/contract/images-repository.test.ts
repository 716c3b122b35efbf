import { createImageListing } from '../../aws/dynamodb/image-list.ts';
import { createImageRepository } from '../../aws/dynamodb/images.ts';
import { createUsageRepository } from '../../aws/dynamodb/usage.ts';
import { countedImages } from '../../core/images/counted.ts';
import { imageRepositorySuite } from '../support/conformance/images.ts';
import { memoryDeps } from '../support/memory/deps.ts';
import { startTable } from '../support/table.ts';

const opened = async () => {
  const { table, close } = await startTable();
  const time = { nowMs: Date.parse('2026-02-02T00:00:00Z') };
  const clock = { now: () => time.nowMs };
  return { images: createImageRepository(table, { clock }), table, time, clock, close };
};

imageRepositorySuite(opened);

/** Writes that are counted go another way to the table, which comes to the same. */
imageRepositorySuite(async () => {
  const { images, table, time, clock, close } = await opened();
  const { config, limits } = memoryDeps({ user_storage_quota: '1TB' });
  const counter = { imageList: createImageListing(table), usage: createUsageRepository(table, { clock }) };
  return { images: countedImages(images, { config, limits, clock, ...counter }), time, close };
});
