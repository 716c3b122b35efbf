import { z } from 'zod';
import type { ImportRequest } from '../../core/imports/import.ts';
import { parseAs } from '../json-body.ts';

/** Body of POST import (contract: import.md section 2); flags are booleans, nothing that counts as one. */
const ImportBody = z.looseObject({
  method: z.looseObject({ name: z.string(), uri: z.string().optional() }),
  stores: z.array(z.string()).optional(),
  all_stores: z.boolean().optional(),
  all_stores_must_succeed: z.boolean().optional(),
});

/** `header` is X-Image-Meta-Store. @throws InvalidInput */
export function parseImport(body: unknown, header: string | undefined): ImportRequest {
  const parsed = parseAs(ImportBody, body);
  return {
    method: parsed.method,
    stores: parsed.stores,
    allStores: parsed.all_stores,
    allStoresMustSucceed: parsed.all_stores_must_succeed,
    header,
    body: parsed,
  };
}
