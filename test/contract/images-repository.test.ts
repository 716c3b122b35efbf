import { createImageRepository } from '../../aws/dynamodb/images.ts';
import { imageRepositorySuite } from '../support/conformance/images.ts';
import { startTable } from '../support/table.ts';

imageRepositorySuite(async () => {
  const { table, close } = await startTable();
  const time = { nowMs: Date.parse('2026-02-02T00:00:00Z') };
  return { images: createImageRepository(table, { clock: { now: () => time.nowMs } }), time, close };
});
