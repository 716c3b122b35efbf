import { createIdentityRepository } from '../../aws/dynamodb/identity.ts';
import { identityRepositorySuite } from '../support/conformance/identity.ts';
import { startTable } from '../support/table.ts';

identityRepositorySuite(async () => {
  const { table, close } = await startTable();
  const time = { nowMs: Date.parse('2026-02-02T00:00:00Z') };
  return { identity: createIdentityRepository(table, { now: () => time.nowMs }), time, close };
});
