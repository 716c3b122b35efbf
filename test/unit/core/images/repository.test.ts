import { imageRepositorySuite } from '../../../support/conformance/images.ts';
import { memoryDeps } from '../../../support/memory/deps.ts';

imageRepositorySuite(async () => ({ ...memoryDeps(), close: async () => {} }));
