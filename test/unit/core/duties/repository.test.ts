import { dutyRepositorySuite } from '../../../support/conformance/duties.ts';
import { memoryDeps } from '../../../support/memory/deps.ts';

dutyRepositorySuite(async () => ({ ...memoryDeps(), indexed: async () => {}, close: async () => {} }));
