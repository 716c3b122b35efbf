import { uploadSessionRepositorySuite } from '../../../support/conformance/upload-sessions.ts';
import { memoryDeps } from '../../../support/memory/deps.ts';

uploadSessionRepositorySuite(async () => ({ ...memoryDeps(), close: async () => {} }));
