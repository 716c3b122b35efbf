/**
 * What the properties of an image say of its signature (contract: signatures.md sections 1 and 2). They are ordinary properties: only
 * where all four are there are the bytes verified.
 */
import { refusedSignature, SignatureRefused } from './refused.ts';

const SIGNATURE_PROPERTIES = {
  signature: 'img_signature',
  hash: 'img_signature_hash_method',
  keyType: 'img_signature_key_type',
  certificate: 'img_signature_certificate_uuid',
} as const;

/** Custom properties of an image. */
export type Properties = Readonly<Record<string, string | null>>;

/** Message digests by the name of the property, under the names of node:crypto. */
const HASHES = { 'SHA-224': 'sha224', 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' } as const;
export type SignatureHash = (typeof HASHES)[keyof typeof HASHES];

/** What kind of key a certificate must hold; the curve of a key is not compared with the one named. */
const KEY_TYPES = { 'RSA-PSS': 'RSA', DSA: 'DSA', ECC_SECP521R1: 'EC', ECC_SECP384R1: 'EC' } as const;
export type KeyClass = (typeof KEY_TYPES)[keyof typeof KEY_TYPES];

/** The certificate of a signature has this name in the key manager. Canonical (RFC 9562, section 4): it becomes part of a path. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** No key makes longer ones (RSA of 16384 bits). Bytes. */
const MOST_BYTES = 2048;
/** As Base64, with what Python puts around it. Characters. */
const MOST_TEXT = 4 * Math.ceil(MOST_BYTES / 3) + 3;

/** What an image says of its signature, as far as it can be told without the certificate. */
export interface SignatureClaim {
  readonly hash: SignatureHash;
  readonly keyClass: KeyClass;
  /** Plain Base64. */
  readonly signature: string;
  /** A canonical UUID. */
  readonly certificateId: string;
}

/** All four properties are there: what arrives is verified. */
export function isSigned(properties: Properties): boolean {
  return Object.values(SIGNATURE_PROPERTIES).every((key) => typeof properties[key] === 'string');
}

/**
 * The claim of an image's properties; undefined for an image that is not signed.
 * @throws SignatureRefused naming the property that cannot be used
 */
export function signatureClaim(imageId: string, properties: Properties): SignatureClaim | undefined {
  if (!isSigned(properties)) return undefined;
  const value = (key: keyof typeof SIGNATURE_PROPERTIES): string => properties[SIGNATURE_PROPERTIES[key]] ?? '';
  const refuse = (cause: string): never => {
    throw new SignatureRefused(refusedSignature(imageId, cause));
  };
  const hash = named(HASHES, value('hash')) ?? refuse(oneOf('hash', 'hash method', HASHES));
  const keyClass = named(KEY_TYPES, value('keyType')) ?? refuse(oneOf('keyType', 'key type', KEY_TYPES));
  const signature = plainSignature(value('signature')) ?? refuse('the signature cannot be decoded: it is no Base64');
  const certificateId = value('certificate');
  if (!UUID.test(certificateId)) refuse(`${SIGNATURE_PROPERTIES.certificate} is no UUID in lower case`);
  return { hash, keyClass, signature, certificateId };
}

/** The Base64 of a signature as it is, or as Debian's openstack client writes it: the text that Python has for bytes, `b'…'`. */
function plainSignature(text: string): string | undefined {
  if (text.length > MOST_TEXT) return undefined;
  const plain = /^b'([^']*)'$/.exec(text)?.[1] ?? text;
  return plain !== '' && BASE64.test(plain) ? plain : undefined;
}

/** The signature as every verifier reads it, once it was found good: nobody but us takes Python's text for it. */
export const plainProperties = ({ signature }: Pick<SignatureClaim, 'signature'>): Record<string, string> => ({
  [SIGNATURE_PROPERTIES.signature]: signature,
});

/** Both say the same of a signature. */
export function isSameSignature(one: Properties, other: Properties): boolean {
  return Object.values(SIGNATURE_PROPERTIES).every((key) => one[key] === other[key]);
}

/** Takes the four properties off an image. */
export const NO_SIGNATURE: Readonly<Record<string, null>> = Object.fromEntries(
  Object.values(SIGNATURE_PROPERTIES).map((key) => [key, null]),
);

function named<V>(table: Readonly<Record<string, V>>, key: string): V | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function oneOf(key: keyof typeof SIGNATURE_PROPERTIES, what: string, table: object): string {
  return `invalid signature ${what}: ${SIGNATURE_PROPERTIES[key]} is none of ${Object.keys(table).join(', ')}`;
}
