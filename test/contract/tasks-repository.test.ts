import { createTaskRepository } from '../../aws/dynamodb/tasks.ts';
import { taskRepositorySuite } from '../support/conformance/tasks.ts';
import { startTable } from '../support/table.ts';

taskRepositorySuite(async () => {
  const { table, indexed, close } = await startTable();
  const time = { nowMs: Date.parse('2026-02-02T00:00:00Z') };
  return { tasks: createTaskRepository(table, { now: () => time.nowMs }), time, indexed, close };
});
