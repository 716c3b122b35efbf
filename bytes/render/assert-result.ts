import type { WithConfig } from '../../core/config.ts';
import { ImageRefused } from '../../core/errors.ts';
import type { ConversionPlan } from '../../formats/convert/plan.ts';
import { inspect } from '../../formats/inspect.ts';
import type { WithPlaces } from '../places.ts';
import type { StoredBytes } from '../stored-bytes.ts';
import { openStored } from '../stored-image.ts';

/** The result is inspected like anything that comes from outside (contract: import.md section 6, step 11). @throws ImageRefused when it is not what it should be */
export async function assertResult(
  { places, config }: WithPlaces & WithConfig,
  bytes: StoredBytes,
  { target, outputSize }: ConversionPlan,
): Promise<void> {
  const found = await inspect(await openStored(places, bytes), {
    declared: target.format,
    nonfatal: config.image_format.gpt_safety_checks_nonfatal,
  });
  if (found.verdict === 'accept' && found.virtualSize === outputSize) return;
  throw new ImageRefused(
    `The conversion to ${target.format} gave ${found.format} of ${found.virtualSize} bytes where ${outputSize} were expected`,
  );
}
