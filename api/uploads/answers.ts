/** Upload sessions and links on the wire, under `/glimpse/v1`: sizes in bytes, times in ISO 8601 (docs/upload-sessions.md). */
import { z } from 'zod';
import { UPLOAD_STATES } from '../../core/uploads/session.ts';

const text = z.string();

const Part = z.object({ number: z.number(), size: z.number(), crc32: text });

export const UploadAnswer = z.object({
  id: text,
  image_id: text,
  state: z.enum(UPLOAD_STATES),
  size: z.number(),
  part_size: z.number(),
  part_count: z.number(),
  /** Bytes of the parts that are there. */
  received: z.number(),
  parts: z.array(Part).readonly(),
  created_at: text,
  expires_at: text,
});
export type UploadAnswer = z.infer<typeof UploadAnswer>;

export const CreatedUpload = z.object({ upload: UploadAnswer });
export const UploadsAnswer = z.object({ uploads: z.array(UploadAnswer).readonly() });

/** How to send one part, or read an object: all headers have to be sent. */
const signed = { url: text, headers: z.record(text, text).readonly(), expires_at: text };

export const SignedPartsAnswer = z.object({
  parts: z.array(z.object({ number: z.number(), method: z.literal('PUT'), ...signed })).readonly(),
});
export type SignedPartsAnswer = z.infer<typeof SignedPartsAnswer>;

export const LinkAnswer = z.object({
  ...signed,
  method: z.literal('GET'),
  size: z.number().nullable(),
  checksum: text.nullable(),
  os_hash_algo: text.nullable(),
  os_hash_value: text.nullable(),
});
export type LinkAnswer = z.infer<typeof LinkAnswer>;
