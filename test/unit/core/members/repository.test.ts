import { memberRepositorySuite } from '../../../support/conformance/members.ts';
import { memoryDeps } from '../../../support/memory/deps.ts';

memberRepositorySuite(async () => ({ ...memoryDeps(), indexed: async () => {}, close: async () => {} }));
