import { imageListingSuite } from '../../../support/conformance/image-list.ts';
import { memoryDeps } from '../../../support/memory/deps.ts';

imageListingSuite(async () => ({ ...memoryDeps(), close: async () => {} }));
