import { z } from 'zod';
import type { ImportRequest } from '../../core/imports/import.ts';

/** Body of POST import (contract: import.md section 2); flags are booleans, nothing that counts as one. */
export const ImportBody = z.looseObject({
  method: z.looseObject({
    name: z.string(),
    uri: z.string().optional(),
    glance_region: z.string().optional(),
    glance_image_id: z.string().optional(),
    glance_service_interface: z.string().optional(),
  }),
  stores: z.array(z.string()).optional(),
  all_stores: z.boolean().optional(),
  all_stores_must_succeed: z.boolean().optional(),
});

export const StoreHeader = z.object({ 'x-image-meta-store': z.string().optional() });

/** Some methods act in the caller's name elsewhere, and show his token there. */
export const ImportHeaders = StoreHeader.extend({
  'x-auth-token': z.string().optional(),
  'x-storage-token': z.string().optional(),
});

/** What core is asked for. */
export function importRequest(
  parsed: z.infer<typeof ImportBody>,
  headers: z.infer<typeof ImportHeaders>,
): ImportRequest {
  return {
    method: parsed.method,
    stores: parsed.stores,
    allStores: parsed.all_stores,
    allStoresMustSucceed: parsed.all_stores_must_succeed,
    header: headers['x-image-meta-store'],
    token: headers['x-auth-token'] ?? headers['x-storage-token'],
    body: parsed,
  };
}
