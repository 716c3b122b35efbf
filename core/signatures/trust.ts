/** Which certificates of signers are trusted: chain, strength, dates and use (RFC 5280, section 6.1, without revocation and policies). */
import type { X509Certificate } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  BasicConstraints,
  Certificate,
  id_ce_basicConstraints,
  id_ce_certificatePolicies,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  KeyUsage,
  KeyUsageFlags,
} from '@peculiar/asn1-x509';
import { keyOf } from './certificate.ts';
import { keyWeakness, signatureWeakness } from './strength.ts';
import { isRoot, isSignedBy } from './trusted-certificates.ts';

/**
 * Why a certificate may not say who signs images, as a sentence; undefined when it may: it is a self-signed one of those trusted, or a
 * chain of issuers among them leads to one.
 * @param trusted as `certificatesOf` has them
 * @param nowMs milliseconds since 1970
 */
export function distrust(
  certificate: X509Certificate,
  trusted: readonly X509Certificate[],
  nowMs: number,
): string | undefined {
  const own = ownProblem(certificate, nowMs);
  if (own !== undefined) return `the certificate ${own}`;
  if (trusted.some((other) => isSame(other, certificate) && isRoot(other))) return undefined;
  const weakness = signatureProblem(certificate);
  if (weakness !== undefined) return `the certificate ${weakness}`;
  // Breadth first: each issuer is reached by the shortest chain, which is the one that its path length lets through.
  const reached = [certificate];
  const problems = new Set<string>();
  let level = [certificate];
  for (let below = 0; level.length > 0; below++) {
    const issuers = trusted.filter(
      (other) => !reached.some((one) => isSame(one, other)) && level.some((one) => isIssuedBy(one, other)),
    );
    reached.push(...issuers);
    level = issuers.filter((issuer) => {
      const problem = issuerProblem(issuer, below, nowMs);
      if (problem !== undefined) problems.add(problem);
      return problem === undefined;
    });
    if (level.some(isRoot)) return undefined;
  }
  const why = problems.size === 0 ? '' : `: an issuer ${[...problems].join(', another ')}`;
  return `the certificate leads to none that is trusted${why}`;
}

const isSame = (one: X509Certificate, other: X509Certificate): boolean => one.fingerprint256 === other.fingerprint256;

const isIssuedBy = (one: X509Certificate, other: X509Certificate): boolean =>
  one.checkIssued(other) && isSignedBy(one, other);

/** @param below certificates of issuers between this one and the signer's */
function issuerProblem(issuer: X509Certificate, below: number, nowMs: number): string | undefined {
  const reading = readingOf(issuer);
  if (reading === undefined) return UNREADABLE;
  const { pathLength, foreign } = reading;
  // By basicConstraints, and keyUsage where there is one.
  if (!issuer.ca) return 'may not sign certificates';
  if (below > (pathLength ?? Number.POSITIVE_INFINITY)) return 'may not be so far from the signer';
  if (foreign !== undefined) return foreign;
  return strengthProblem(issuer) ?? dateProblem(issuer, nowMs);
}

/** What stands on the issuer's key, and on the signature of whoever issued it: a root's own signature says nothing. */
function strengthProblem(issuer: X509Certificate): string | undefined {
  const key = keyOf(issuer);
  const weakness = key === undefined ? 'an algorithm that is not known here' : keyWeakness(key);
  if (weakness !== undefined) return `has a key of ${weakness}`;
  return isRoot(issuer) ? undefined : signatureProblem(issuer);
}

function signatureProblem({ raw }: X509Certificate): string | undefined {
  const weakness = signatureWeakness(AsnConvert.parse(raw, Certificate).signatureAlgorithm);
  return weakness === undefined ? undefined : `is signed with ${weakness}`;
}

function ownProblem(certificate: X509Certificate, nowMs: number): string | undefined {
  const dates = dateProblem(certificate, nowMs);
  if (dates !== undefined) return dates;
  const reading = readingOf(certificate);
  if (reading === undefined) return UNREADABLE;
  return reading.maySign ? reading.foreign : 'is not for digital signatures';
}

function dateProblem({ validFromDate, validToDate }: X509Certificate, nowMs: number): string | undefined {
  const isValid = validFromDate.getTime() <= nowMs && nowMs <= validToDate.getTime();
  return isValid ? undefined : `is valid from ${dayOf(validFromDate)} to ${dayOf(validToDate)}`;
}

const dayOf = (date: Date): string => (Number.isNaN(date.getTime()) ? 'no date' : date.toISOString().slice(0, 10));

const UNREADABLE = 'has extensions that cannot be read';

/** What Node does not tell of a certificate. */
interface Reading {
  /** By keyUsage, where there is one. */
  readonly maySign: boolean;
  /** Issuers that may follow below this one; undefined for any number. */
  readonly pathLength: number | undefined;
  /** What it asks of its readers that is not looked at here. */
  readonly foreign: string | undefined;
}

/** Critical extensions that are looked at, or that limit nothing that a signer does. */
const KNOWN: ReadonlySet<string> = new Set([
  id_ce_basicConstraints,
  id_ce_certificatePolicies,
  id_ce_keyUsage,
  id_ce_subjectAltName,
]);

/** Purposes of extendedKeyUsage: code, any. Where it is critical, one of them is needed. */
const SIGNING: ReadonlySet<string> = new Set(['1.3.6.1.5.5.7.3.3', '2.5.29.37.0']);

/** Undefined for extensions that cannot be read. */
function readingOf(certificate: X509Certificate): Reading | undefined {
  try {
    return parsed(certificate);
  } catch {
    return undefined;
  }
}

function parsed({ raw, keyUsage: purposes }: X509Certificate): Reading {
  const { extensions = [] } = AsnConvert.parse(raw, Certificate).tbsCertificate;
  const extension = (id: string) => extensions.find(({ extnID }) => extnID === id)?.extnValue;
  const [usage, constraints] = [extension(id_ce_keyUsage), extension(id_ce_basicConstraints)];
  const isForSigning = purposes?.some((purpose) => SIGNING.has(purpose)) === true;
  const isKnown = (id: string): boolean => KNOWN.has(id) || (id === id_ce_extKeyUsage && isForSigning);
  const foreign = extensions.find(({ critical, extnID }) => critical && !isKnown(extnID))?.extnID;
  return {
    maySign:
      usage === undefined || (AsnConvert.parse(usage, KeyUsage).toNumber() & KeyUsageFlags.digitalSignature) !== 0,
    pathLength:
      constraints === undefined ? undefined : AsnConvert.parse(constraints, BasicConstraints).pathLenConstraint,
    foreign:
      foreign === undefined
        ? undefined
        : `has the critical extension ${foreign}, which forbids this or is not known here`,
  };
}
