import { createLookUpCounts } from '../../aws/dynamodb/look-up-counts.ts';
import { lookUpCountsSuite } from '../support/conformance/look-up-counts.ts';
import { startTable } from '../support/table.ts';

lookUpCountsSuite(async () => {
  const { table, close } = await startTable();
  return { counts: createLookUpCounts(table), close };
});
