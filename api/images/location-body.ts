import { z } from 'zod';
import type { NewLocation } from '../../core/imports/add-location.ts';

/** Hexadecimal digits of each hash that a client may bring. */
const DIGITS: Readonly<Record<string, number>> = { md5: 32, sha1: 40, sha256: 64, sha512: 128 };

const Validation = z
  .strictObject({ os_hash_algo: z.enum(['sha1', 'sha256', 'sha512', 'md5']), os_hash_value: z.string().max(128) })
  .refine(
    ({ os_hash_algo: algo, os_hash_value: value }) => /^[0-9a-f]+$/i.test(value) && value.length === DIGITS[algo],
    {
      error: 'os_hash_value must be hexadecimal digits, as many as os_hash_algo has',
      path: ['os_hash_value'],
    },
  );

/** Body of POST locations (contract: images.md section 9.2). Clients send an empty `validation_data` when they have none. */
export const LocationBody = z
  .looseObject({
    url: z.string().min(1).max(255),
    validation_data: z.union([z.strictObject({}), Validation]).optional(),
  })
  .transform(locationOf);

function locationOf({
  url,
  validation_data: given,
}: {
  readonly url: string;
  readonly validation_data?: z.infer<typeof Validation> | Record<string, never> | undefined;
}): NewLocation {
  if (given === undefined || !('os_hash_algo' in given)) return { url };
  return { url, expected: { algo: given.os_hash_algo, value: given.os_hash_value.toLowerCase() } };
}
