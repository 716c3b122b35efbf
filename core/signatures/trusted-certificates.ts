/** The setting `trusted_certificates`, read by Node alone: every process reads the settings, few ask whom to trust (trust.ts). */
import { X509Certificate } from 'node:crypto';

const PEM = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * The certificates of `trusted_certificates`, of which a text may hold several.
 * @throws TypeError that tells what is wrong with the list, and nothing of its contents
 */
export function certificatesOf(texts: readonly string[]): X509Certificate[] {
  const certificates = texts.flatMap((text, n) => {
    const blocks = text.match(PEM) ?? [];
    if (blocks.length === 0 || /-----BEGIN (?!CERTIFICATE-----)/.test(text))
      throw new TypeError(`number ${n + 1} holds no certificate as PEM, or something else beside`);
    return blocks.map((block) => parsed(block, n + 1));
  });
  if (certificates.length > 0 && !certificates.some(isRoot))
    throw new TypeError('none of them is self-signed, and a chain ends at one that is');
  return certificates;
}

function parsed(block: string, n: number): X509Certificate {
  try {
    return new X509Certificate(block);
  } catch (cause) {
    throw new TypeError(`number ${n} holds a certificate that cannot be read`, { cause });
  }
}

/** It is self-signed: a chain may end here. */
export const isRoot = (certificate: X509Certificate): boolean =>
  certificate.subject === certificate.issuer && isSignedBy(certificate, certificate);

/** An algorithm that OpenSSL does not know signs nothing. */
export function isSignedBy(one: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return one.verify(issuer.publicKey);
  } catch {
    return false;
  }
}
