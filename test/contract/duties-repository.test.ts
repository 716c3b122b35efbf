import { dutyRepositorySuite } from '../support/conformance/duties.ts';
import { dutiesOf, startTable } from '../support/table.ts';

dutyRepositorySuite(async () => {
  const started = await startTable();
  return { duties: dutiesOf(started), close: started.close };
});
