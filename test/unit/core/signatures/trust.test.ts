/** Chains that make.py wrote, good ones and each that is wrong in one way. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AlgorithmIdentifier } from '@peculiar/asn1-x509';
import { describe, expect, it } from 'vitest';
import { ConfigError, parseConfig } from '../../../../core/config.ts';
import { signatureWeakness } from '../../../../core/signatures/strength.ts';
import { distrust } from '../../../../core/signatures/trust.ts';
import { certificatesOf } from '../../../../core/signatures/trusted-certificates.ts';

const pem = (name: string): string =>
  readFileSync(new URL(`../../../fixtures/signatures/${name}.pem`, import.meta.url)).toString();
const NOW = Date.UTC(2026, 11, 1);

const verdict = (name: string, trusted: readonly string[], nowMs = NOW) =>
  distrust(new X509Certificate(pem(name)), certificatesOf(trusted.map(pem)), nowMs);

describe('a certificate is trusted', () => {
  it.each([
    ['rooted', ['root']],
    ['chained', ['root', 'middle']],
    ['chained', ['middle', 'root']],
    ['rsa', ['rsa']],
    ['rooted', ['p384', 'root-no-ca', 'root-expired', 'root']],
  ])('%s by %j', (name, trusted) => {
    expect(verdict(name, trusted)).toBeUndefined();
  });

  it('by a bundle in one text', () => {
    const bundle = certificatesOf([`A root\n${pem('root')}and what leads to it\n${pem('middle')}`]);
    expect(distrust(new X509Certificate(pem('chained')), bundle, NOW)).toBeUndefined();
  });
});

describe('a certificate is not trusted', () => {
  it.each([
    ['rooted', [], 'leads to none that is trusted'],
    ['rsa', ['root'], 'leads to none that is trusted'],
    ['chained', ['root'], 'leads to none that is trusted'],
    ['chained', ['middle', 'p384'], 'leads to none that is trusted'],
    ['forged', ['root'], 'leads to none that is trusted'],
    ['rooted', ['root-no-ca'], 'may not sign certificates'],
    ['rooted', ['root-expired'], 'is valid from 2026-01-01 to 2026-01-02'],
    ['chained', ['root-no-path', 'middle'], 'may not be so far from the signer'],
    ['expired', ['root'], 'the certificate is valid from 2026-01-01 to 2026-01-02'],
    ['future', ['root'], 'the certificate is valid from 2125-12-31'],
    ['no-signing', ['root'], 'the certificate is not for digital signatures'],
    ['expired', ['root', 'expired'], 'the certificate is valid from'],
  ])('%s by %j: %s', (name, trusted, reason) => {
    expect(verdict(name, trusted)).toContain(reason);
  });

  it('when its issuer may sign lists, and no certificates', () => {
    // Such a root is none by itself either, so another stands beside it.
    expect(verdict('rooted', ['root-no-sign', 'p384'])).toContain('leads to none that is trusted');
  });

  it('before its time and after it, to the second', () => {
    expect(verdict('rooted', ['root'], Date.UTC(2026, 0, 1))).toBeUndefined();
    expect(verdict('rooted', ['root'], Date.UTC(2026, 0, 1) - 1_000)).toContain('is valid from');
    expect(verdict('rooted', ['root'], Date.UTC(2126, 0, 1))).toBeUndefined();
    expect(verdict('rooted', ['root'], Date.UTC(2126, 0, 1) + 1_000)).toContain('is valid from');
  });
});

describe('the strength of a chain', () => {
  // These begin on the day that weak.py wrote them.
  const LATER = Date.UTC(2030, 0, 1);

  it.each([
    ['by-pss', ['rsa-root']],
    ['by-ed25519-root', ['ed25519-root']],
    // What it says of itself proves nothing anyway.
    ['by-sha1-root', ['sha1-root']],
  ])('is enough for %s by %j', (name, trusted) => {
    expect(verdict(name, trusted, LATER)).toBeUndefined();
  });

  it.each([
    ['by-weak-root', ['weak-root'], 'an issuer has a key of 1024 bits: 2048 to 16384 are taken'],
    ['by-weak-middle', ['rsa-root', 'weak-middle'], 'an issuer has a key of 1024 bits'],
    ['by-sha1', ['rsa-root'], 'the certificate is signed with SHA-1'],
    ['by-md5', ['rsa-root'], 'the certificate is signed with MD5'],
    ['by-pss-sha1', ['rsa-root'], 'the certificate is signed with another hash than SHA-2 or SHA-3'],
    ['by-sha1-middle', ['rsa-root', 'sha1-middle'], 'an issuer is signed with SHA-1'],
  ])('is not enough for %s by %j: %s', (name, trusted, reason) => {
    expect(verdict(name, trusted, LATER)).toContain(reason);
  });

  it.each([
    ['1.2.840.113549.1.1.2', 'MD2'],
    ['1.2.840.10045.4.1', 'SHA-1'],
    ['1.2.840.10040.4.3', 'SHA-1'],
    ['1.2.3.4', '1.2.3.4, which is not known here'],
    ['1.2.840.113549.1.1.10', 'another hash than SHA-2 or SHA-3'],
    ['1.2.840.113549.1.1.14', undefined],
    ['1.2.840.10045.4.3.1', undefined],
    ['2.16.840.1.101.3.4.3.2', undefined],
    ['1.3.101.113', undefined],
  ])('of a signature by %s without parameters: %s', (algorithm, weakness) => {
    expect(signatureWeakness(new AlgorithmIdentifier({ algorithm }))).toBe(weakness);
  });
});

describe('signed_images', () => {
  const parse = (signed_images: object) => parseConfig({ stores: [{ id: 'a', bucket: 'aaa' }], signed_images });

  it('requires nothing by default', () => {
    const { require_signature, trusted_certificates } = parse({}).signed_images;
    expect(require_signature).toEqual({ public: 'never', community: 'never', shared: 'never', private: 'never' });
    expect(trusted_certificates).toEqual([]);
  });

  it.each([
    [{ require_signature: { public: 'trusted' } }, 'trusted_certificates: empty: needed with require_signature.public'],
    [{ trusted_certificates: ['hello'] }, 'number 1 holds no certificate'],
    [{ trusted_certificates: [pem('root'), `${pem('root').slice(0, 200)}`] }, 'number 2 holds no certificate'],
    [
      { trusted_certificates: [pem('root').replace('MIIB', 'MIIA')] },
      'number 1 holds a certificate that cannot be read',
    ],
    [
      { trusted_certificates: [`${pem('root')}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n`] },
      'number 1 holds no certificate as PEM, or something else beside',
    ],
    [{ trusted_certificates: [pem('middle')] }, 'none of them is self-signed'],
    [{ require_signature: { public: 'sometimes' } }, 'signed_images.require_signature.public'],
  ])('%j is refused', (settings, reason) => {
    expect(() => parse(settings)).toThrow(ConfigError);
    expect(() => parse(settings)).toThrow(reason);
  });
});
