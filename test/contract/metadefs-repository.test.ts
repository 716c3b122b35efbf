import { randomUUID } from 'node:crypto';
import { createMetadefRepository } from '../../aws/dynamodb/metadefs.ts';
import { metadefRepositorySuite } from '../support/conformance/metadefs.ts';
import { dutiesOf, startTable } from '../support/table.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

metadefRepositorySuite(async (limits) => {
  const started = await startTable();
  const metadefs = createMetadefRepository(started.table, {
    clock: { now: () => Date.now() },
    newId: randomUUID,
    duties: dutiesOf(started),
    limits,
    log: silent,
  });
  return { metadefs, close: started.close };
});
