import { X509Certificate } from 'node:crypto';
import type { WithClock } from '../clock.ts';
import type { Config, WithConfig } from '../config.ts';
import { InvalidInput } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import type { WithLookUps } from '../identity/look-ups.ts';
import { certificateIn, keyRefusal } from './certificate.ts';
import type { WithKeyManager } from './key-manager.ts';
import { type Properties, type SignatureClaim, type SignatureHash, signatureClaim } from './properties.ts';
import { notSigned, refusedSignature, SignatureRefused } from './refused.ts';
import { certificatesOf } from './trusted-certificates.ts';

/** All that is needed to verify bytes that arrive, as it travels with an upload or a task: the certificate, and nobody's token. */
export interface ExpectedSignature {
  readonly hash: SignatureHash;
  readonly keyClass: SignatureClaim['keyClass'];
  readonly certificateId: string;
  /** Plain Base64. */
  readonly signature: string;
  /** Base64 of the certificate's DER. */
  readonly certificate: string;
  /** The certificate leads to one that is trusted. */
  readonly isTrusted: boolean;
  /** The image may not have other bytes than those that are signed. */
  readonly isRequired: boolean;
}

export type ExpectDeps = WithConfig & WithClock & WithLookUps & WithKeyManager;

type Requirements = Config['signed_images']['require_signature'];

/** The image that bytes are for. */
export interface Signed {
  readonly id: string;
  readonly visibility: keyof Requirements;
  readonly properties: Properties;
}

/**
 * What the bytes of an image must be signed with, from its properties as they are now; undefined for an image that is not signed,
 * and needs not be.
 * @throws SignatureRefused naming what is wrong with the properties, the certificate or its key, or that a signature is needed; TooManyRequests for a project whose
 *   look-ups failed too often; BackendUnavailable when the key manager is away
 */
export async function expectedSignature(
  deps: ExpectDeps,
  caller: Pick<Caller, 'projectId' | 'token'>,
  { id, visibility, properties }: Signed,
): Promise<ExpectedSignature | undefined> {
  const { require_signature, trusted_certificates } = deps.config.signed_images;
  const required = require_signature[visibility];
  const claim = signatureClaim(id, properties);
  if (claim === undefined) {
    if (required === 'never') return undefined;
    throw new SignatureRefused(refusedSignature(id, notSigned(visibility)));
  }
  const certificate = await certificateOf(deps, caller, id, claim);
  const refusal = keyRefusal(certificate, claim.keyClass, Buffer.from(claim.signature, 'base64').length);
  if (refusal !== undefined) throw new SignatureRefused(refusedSignature(id, refusal));
  const doubt = await doubtOf(certificate, trusted_certificates, deps.clock.now());
  if (required === 'trusted' && doubt !== undefined) throw new SignatureRefused(refusedSignature(id, doubt));
  return {
    ...claim,
    certificate: certificate.raw.toString('base64'),
    isTrusted: doubt === undefined,
    isRequired: required !== 'never',
  };
}

/** The reader of extensions is loaded where somebody is trusted. */
async function doubtOf(
  certificate: X509Certificate,
  trusted: readonly string[],
  nowMs: number,
): Promise<string | undefined> {
  if (trusted.length === 0) return 'no certificate is trusted';
  const { distrust } = await import('./trust.ts');
  return distrust(certificate, certificatesOf(trusted), nowMs);
}

/** What is missing, somebody else's, and no certificate is all the same: nobody learns here what a key manager holds. */
async function certificateOf(
  { lookUps, keyManager }: ExpectDeps,
  caller: Pick<Caller, 'projectId' | 'token'>,
  imageId: string,
  { certificateId }: SignatureClaim,
): Promise<X509Certificate> {
  await lookUps.spend(caller.projectId);
  const found = await answered(keyManager.secret(certificateId, caller));
  if (found instanceof X509Certificate) {
    lookUps.giveBack(caller.projectId);
    return found;
  }
  await lookUps.fail(caller.projectId);
  const refusal = found?.message ?? `certificate ${certificateId} cannot be retrieved as one X.509 certificate`;
  throw new SignatureRefused(refusedSignature(imageId, refusal), { cause: found });
}

/** The certificate; what a key manager refuses by itself; or undefined. */
async function answered(secret: Promise<Uint8Array | undefined>): Promise<X509Certificate | InvalidInput | undefined> {
  try {
    const bytes = await secret;
    return bytes === undefined ? undefined : certificateIn(bytes);
  } catch (error) {
    if (error instanceof InvalidInput) return error;
    throw error;
  }
}

/** A signature to be checked over bytes, in the terms of node:crypto. */
export interface SignatureCheck {
  readonly hash: SignatureHash;
  /** DER, SubjectPublicKeyInfo (RFC 5280). */
  readonly key: Uint8Array;
  /** RSASSA-PSS (RFC 8017) with any length of salt: signers use the longest. DSA and ECDSA otherwise, as DER. */
  readonly isPss: boolean;
  readonly signature: Uint8Array;
}

export function checkOf({ hash, keyClass, signature, certificate }: ExpectedSignature): SignatureCheck {
  const { publicKey } = new X509Certificate(Buffer.from(certificate, 'base64'));
  return {
    hash,
    key: publicKey.export({ type: 'spki', format: 'der' }),
    isPss: keyClass === 'RSA',
    signature: Buffer.from(signature, 'base64'),
  };
}
