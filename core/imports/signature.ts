import type { Caller } from '../identity/caller.ts';
import type { Image } from '../images/image.ts';
import { type AbandonDeps, giveUpStaged } from '../images/upload.ts';
import { type ExpectDeps, type ExpectedSignature, expectedSignature } from '../signatures/expected.ts';
import { SignatureRefused } from '../signatures/refused.ts';
import type { ImportMethod } from '../tasks/task.ts';

/**
 * What the bytes of an import must be signed with. A copy was verified when its image was. What cannot be verified is not kept: staged
 * bytes go, and the image is `queued` again.
 * @throws as `expectedSignature`
 */
export async function signatureForImport(
  deps: ExpectDeps & AbandonDeps,
  caller: Caller,
  image: Image,
  method: ImportMethod,
): Promise<ExpectedSignature | undefined> {
  if (method.name === 'copy-image') return undefined;
  try {
    return await expectedSignature(deps, caller, image);
  } catch (error) {
    if (error instanceof SignatureRefused && method.name === 'glance-direct') await giveUpStaged(deps, image);
    throw error;
  }
}
