import { InvalidInput } from '../errors.ts';

/** Bytes that are not signed as their image says, or cannot be verified. The message is `refusedSignature`'s. */
export class SignatureRefused extends InvalidInput {}

/** Glance's words, which clients look for. `cause` holds nothing of a certificate or a secret. */
export const refusedSignature = (imageId: string, cause: string): string =>
  `Signature verification failed for image ${imageId}: ${cause}`;

/** The cause when everything was in order but the bytes. */
export const NOT_OF_THESE_BYTES = 'the signature is not that of these bytes and this certificate';

/** The cause when there is no signature where one is needed. */
export const notSigned = (visibility: string): string =>
  `an image whose visibility is ${visibility} must be signed here, and not all of its img_signature properties are set`;
