import { createMemberRepository } from '../../aws/dynamodb/members.ts';
import { memberRepositorySuite } from '../support/conformance/members.ts';
import { startTable } from '../support/table.ts';

memberRepositorySuite(async () => {
  const { table, close } = await startTable();
  return { members: createMemberRepository(table), close };
});
