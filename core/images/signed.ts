import type { Config } from '../config.ts';
import type { ExpectedSignature } from '../signatures/expected.ts';
import { NO_SIGNATURE, plainProperties, signatureClaim } from '../signatures/properties.ts';
import type { Image, SignatureMark } from './image.ts';
import type { ImageChange } from './repository.ts';

/** What an image says of its signature when its bytes are complete. */
export interface SignedOutcome {
  readonly mark: SignatureMark | null;
  readonly mergeProperties: NonNullable<ImageChange['mergeProperties']>;
}

/**
 * After the bytes were found to be signed as expected. A signature stays, in plain Base64; it goes with the bytes that it was of; and
 * what somebody wrote in its place meanwhile is theirs, and not verified.
 * @param image as it is now
 * @param isKept the bytes of a download are those that were signed
 */
export function signedOutcome(
  image: Pick<Image, 'id' | 'properties'> | undefined,
  expected: ExpectedSignature | undefined,
  isKept: boolean,
): SignedOutcome {
  if (expected === undefined) return { mark: null, mergeProperties: {} };
  if (!isKept) return { mark: 'dropped', mergeProperties: NO_SIGNATURE };
  if (image === undefined || !isClaimed(image, expected)) return { mark: null, mergeProperties: {} };
  return { mark: expected.isTrusted ? 'trusted' : 'verified', mergeProperties: plainProperties(expected) };
}

type SignedConfig = Pick<Config, 'signed_images'>;

const GOOD_MARKS: Readonly<Record<'trusted' | 'always', readonly (SignatureMark | null)[]>> = {
  always: ['verified', 'trusted'],
  trusted: ['trusted'],
};

const NEEDED = { always: 'a good signature', trusted: 'a good signature by a trusted certificate' } as const;

/** Why an image of a visibility may not have its bytes, as a sentence; undefined when it may. */
export function lacksSignature(
  { signed_images }: SignedConfig,
  { visibility, signature }: Pick<Image, 'visibility' | 'signature'>,
): string | undefined {
  const required = signed_images.require_signature[visibility];
  if (required === 'never' || GOOD_MARKS[required].includes(signature)) return undefined;
  return `an image whose visibility is ${visibility} needs ${NEEDED[required]} here`;
}

/** Images of some visibility need a signature. */
export function requiresSignatures({ signed_images }: SignedConfig): boolean {
  return Object.values(signed_images.require_signature).some((required) => required !== 'never');
}

/** The properties say what was verified. */
function isClaimed({ id, properties }: Pick<Image, 'id' | 'properties'>, expected: ExpectedSignature): boolean {
  try {
    const claim = signatureClaim(id, properties);
    return (['hash', 'keyClass', 'signature', 'certificateId'] as const).every((key) => claim?.[key] === expected[key]);
  } catch {
    return false;
  }
}
