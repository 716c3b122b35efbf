/** What a client may ask about the service (contract: images.md section 16). */
import { z } from 'zod';

const text = z.string();

export const ImportInfo = z.object({
  'import-methods': z.object({ description: text, type: z.literal('array'), value: z.array(text).readonly() }),
});
export type ImportInfo = z.infer<typeof ImportInfo>;

/** `default` is a string and present only where it is true. */
export const StoreAnswer = z.object({
  id: text,
  description: text.exactOptional(),
  default: z.literal('true').exactOptional(),
});
export type StoreAnswer = z.infer<typeof StoreAnswer>;
export const StoresAnswer = z.object({ stores: z.array(StoreAnswer).readonly() });
export type StoresAnswer = z.infer<typeof StoresAnswer>;

export const StoresDetail = z.object({
  stores: z
    .array(
      StoreAnswer.extend({
        type: text,
        weight: z.number(),
        properties: z.record(text, z.union([z.number(), z.boolean()])).readonly(),
      }),
    )
    .readonly(),
});
export type StoresDetail = z.infer<typeof StoresDetail>;

const quota = z.object({ usage: z.number(), limit: z.number() });
/** Sizes in MiB; nothing while limits are off. */
export const UsageAnswer = z.object({
  usage: z.union([
    z.object({
      image_size_total: quota,
      image_stage_total: quota,
      image_count_total: quota,
      image_count_uploading: quota,
    }),
    z.strictObject({}),
  ]),
});
export type UsageAnswer = z.infer<typeof UsageAnswer>;
