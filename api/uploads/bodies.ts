import { z } from 'zod';

/** Parts that URLs are given for at a time. */
const MOST_PARTS = 100;

const bytes = z.int().positive();

/** Body of POST uploads. */
export const UploadCreate = z.strictObject({ size: bytes, part_size: bytes.optional() });

/** Body of POST parts; a CRC32 is base64 of four bytes. */
export const PartsBody = z.strictObject({
  parts: z
    .array(
      z.strictObject({
        number: bytes,
        size: bytes,
        crc32: z.string().regex(/^[A-Za-z0-9+/]{5}[AQgw]==$/, 'base64 of the four bytes of a CRC32 is expected'),
      }),
    )
    .min(1)
    .max(MOST_PARTS),
});
