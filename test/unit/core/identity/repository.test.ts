import { identityRepositorySuite } from '../../../support/conformance/identity.ts';
import { memoryIdentity } from '../../../support/memory/identity.ts';

identityRepositorySuite(async () => {
  const time = { nowMs: Date.parse('2026-02-02T00:00:00Z') };
  return { identity: memoryIdentity({ now: () => time.nowMs }), time, close: async () => {} };
});
