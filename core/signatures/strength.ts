/** Which keys and which signatures of certificates are strong enough to prove something (NIST SP 800-131A, RFC 8017, RFC 5758, RFC 8410). */
import type { KeyObject } from 'node:crypto';
import type { AlgorithmIdentifier } from '@peculiar/asn1-x509';

/** Bits of a modulus below which a signature proves nothing, and above which OpenSSL verifies none. */
const LEAST_MODULUS = 2048;
const MOST_MODULUS = 16_384;
const LEAST_CURVE = 224;

/** Why a key proves nothing, as what it has; undefined when it may. Keys of Ed25519 and Ed448 have one size each. */
export function keyWeakness({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): string | undefined {
  const { modulusLength, namedCurve } = asymmetricKeyDetails;
  if (asymmetricKeyType === 'ed25519' || asymmetricKeyType === 'ed448') return undefined;
  if (asymmetricKeyType === 'ec') {
    const bits = Number(/\d{3}/.exec(namedCurve ?? '')?.[0] ?? 0);
    return bits < LEAST_CURVE ? `a curve without a name, or below ${LEAST_CURVE} bits` : undefined;
  }
  if (modulusLength === undefined || modulusLength < LEAST_MODULUS || modulusLength > MOST_MODULUS)
    return `${modulusLength} bits: ${LEAST_MODULUS} to ${MOST_MODULUS} are taken`;
  return undefined;
}

const PSS = '1.2.840.113549.1.1.10';
/** RSA, ECDSA, DSA and what NIST added, each with SHA-2 or SHA-3; Ed25519 and Ed448. */
const STRONG =
  /^(?:1\.2\.840\.113549\.1\.1\.1[1-4]|1\.2\.840\.10045\.4\.3\.[1-4]|2\.16\.840\.1\.101\.3\.4\.3\.\d+|1\.3\.101\.11[23])$/;
/** Parameters of PSS whose first field is a hash of NIST's arc; without that field it is SHA-1. DER, as hex. */
const PSS_STRONG = /^30..a0..30..06096086480165030402/;

/** Hashes that collisions are made for, by algorithms that use them. */
const BROKEN: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.2': 'MD2',
  '1.2.840.113549.1.1.4': 'MD5',
  '1.2.840.113549.1.1.5': 'SHA-1',
  '1.2.840.10045.4.1': 'SHA-1',
  '1.2.840.10040.4.3': 'SHA-1',
};

/** Why the signature of a certificate proves nothing, as what it is signed with; undefined when it may. */
export function signatureWeakness({ algorithm, parameters }: AlgorithmIdentifier): string | undefined {
  if (STRONG.test(algorithm)) return undefined;
  if (algorithm !== PSS) return BROKEN[algorithm] ?? `${algorithm}, which is not known here`;
  const der = Buffer.from(parameters ?? new ArrayBuffer(0)).toString('hex');
  return PSS_STRONG.test(der) ? undefined : 'another hash than SHA-2 or SHA-3';
}
