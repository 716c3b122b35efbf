import { usageRepositorySuite } from '../../../support/conformance/usage.ts';
import { memoryDeps } from '../../../support/memory/deps.ts';

usageRepositorySuite(async () => ({ ...memoryDeps(), indexed: async () => {}, close: async () => {} }));
