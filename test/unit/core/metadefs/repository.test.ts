import { randomUUID } from 'node:crypto';
import { metadefRepositorySuite } from '../../../support/conformance/metadefs.ts';
import { memoryMetadefs } from '../../../support/memory/metadefs.ts';

metadefRepositorySuite(async (limits) => ({
  metadefs: memoryMetadefs({ clock: { now: () => Date.now() }, newId: randomUUID, limits }),
  close: async () => {},
}));
