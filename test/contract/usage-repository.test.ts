import { createUsageRepository } from '../../aws/dynamodb/usage.ts';
import { usageRepositorySuite } from '../support/conformance/usage.ts';
import { startTable } from '../support/table.ts';

usageRepositorySuite(async () => {
  const { table, indexed, close } = await startTable();
  const time = { nowMs: Date.parse('2026-02-02T00:00:00Z') };
  return { usage: createUsageRepository(table, { clock: { now: () => time.nowMs } }), time, indexed, close };
});
