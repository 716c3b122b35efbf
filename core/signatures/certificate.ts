/** Certificates as they lie in a key manager (contract: signatures.md section 3). What they hold is never repeated in a message. */
import { X509Certificate } from 'node:crypto';
import type { KeyClass } from './properties.ts';
import { keyWeakness } from './strength.ts';

/** Certificates of people have a few kilobytes. Bytes. */
export const MOST_CERTIFICATE_BYTES = 64 * 1024;

/**
 * The one X.509 certificate in some bytes, DER (RFC 5280) or PEM (RFC 7468); undefined for anything else: several of them, a private
 * key with or without one, something behind it, too much.
 */
export function certificateIn(bytes: Uint8Array): X509Certificate | undefined {
  if (bytes.length > MOST_CERTIFICATE_BYTES) return undefined;
  const text = Buffer.from(bytes).toString('latin1');
  const labels = [...text.matchAll(/-----BEGIN ([^-\r\n]*)-----/g)].map(([, label]) => label);
  if (labels.length > 0 && (labels.length > 1 || labels[0] !== 'CERTIFICATE')) return undefined;
  try {
    const certificate = new X509Certificate(bytes);
    return labels.length === 1 || certificate.raw.length === bytes.length ? certificate : undefined;
  } catch {
    return undefined;
  }
}

const CLASS_OF: Readonly<Record<string, KeyClass>> = { rsa: 'RSA', 'rsa-pss': 'RSA', dsa: 'DSA', ec: 'EC' };

/**
 * Why a key cannot have made a signature, as a sentence; undefined when it may have.
 * @param signatureBytes length of the signature
 */
export function keyRefusal(certificate: X509Certificate, wanted: KeyClass, signatureBytes: number): string | undefined {
  const key = keyOf(certificate);
  const found = key?.asymmetricKeyType === undefined ? undefined : CLASS_OF[key.asymmetricKeyType];
  if (key === undefined || found !== wanted) return `key type mismatch: the certificate holds no ${wanted} key`;
  const weakness = keyWeakness(key);
  if (weakness !== undefined) return `the ${wanted} key has ${weakness}`;
  const expected = Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
  if (wanted === 'RSA' && signatureBytes !== expected)
    return `the signature has ${signatureBytes} bytes, the key makes ${expected}`;
  return undefined;
}

/** Of an algorithm that OpenSSL does not know: none. */
export function keyOf(certificate: X509Certificate): X509Certificate['publicKey'] | undefined {
  try {
    return certificate.publicKey;
  } catch {
    return undefined;
  }
}
