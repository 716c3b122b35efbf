import { imageRepositorySuite } from '../../../support/conformance/images.ts';
import { memoryDeps } from '../../../support/memory/deps.ts';

imageRepositorySuite(async () => ({ ...memoryDeps(), close: async () => {} }));
imageRepositorySuite(async () => ({ ...memoryDeps({ user_storage_quota: '1TB' }), close: async () => {} }));
