import { z } from 'zod';
import type { ImportRequest } from '../../core/imports/import.ts';

/** Body of POST import (contract: import.md section 2); flags are booleans, nothing that counts as one. */
export const ImportBody = z.looseObject({
  method: z.looseObject({ name: z.string(), uri: z.string().optional() }),
  stores: z.array(z.string()).optional(),
  all_stores: z.boolean().optional(),
  all_stores_must_succeed: z.boolean().optional(),
});

export const StoreHeader = z.object({ 'x-image-meta-store': z.string().optional() });

/** What core is asked for; `header` is X-Image-Meta-Store. */
export function importRequest(parsed: z.infer<typeof ImportBody>, header: string | undefined): ImportRequest {
  return {
    method: parsed.method,
    stores: parsed.stores,
    allStores: parsed.all_stores,
    allStoresMustSucceed: parsed.all_stores_must_succeed,
    header,
    body: parsed,
  };
}
