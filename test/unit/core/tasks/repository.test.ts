import { taskRepositorySuite } from '../../../support/conformance/tasks.ts';
import { memoryDeps } from '../../../support/memory/deps.ts';

taskRepositorySuite(async () => ({ ...memoryDeps(), indexed: async () => {}, close: async () => {} }));
