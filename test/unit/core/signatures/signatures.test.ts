/** What is signed and what is not, by vectors that openssl and Python's cryptography made (test/fixtures/signatures/make.py). */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../../core/config.ts';
import { BackendUnavailable, TooManyRequests } from '../../../../core/errors.ts';
import { createLookUps } from '../../../../core/identity/look-ups.ts';
import { checkOf, expectedSignature } from '../../../../core/signatures/expected.ts';
import { createDigester } from '../../../../formats/node/digest/digest.ts';
import { memoryLookUpCounts } from '../../../support/memory/look-up-counts.ts';
import { aSigner, asPem } from '../../../support/signer.ts';

const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../../../fixtures/signatures/${name}`, import.meta.url));

interface Vector {
  readonly maker: 'py' | 'ssl' | 'weak';
  readonly keyType: string;
  readonly hash: string;
  readonly certificate: string;
  readonly signature: string;
}
const vectors = JSON.parse(fixture('vectors.json').toString()) as readonly Vector[];
const good = vectors.filter(({ maker }) => maker !== 'weak');
/** As make.py has it. */
const IMAGE = Buffer.from('what is signed '.repeat(20_000));
const ID = '0a1b2c3d-1111-4222-8333-444455556666';
const CALLER = { projectId: 'demo', token: 'token' };

const propertiesOf = ({ keyType, hash, signature }: Omit<Vector, 'maker' | 'certificate'>) => ({
  img_signature: signature,
  img_signature_hash_method: hash,
  img_signature_key_type: keyType,
  img_signature_certificate_uuid: ID,
});

const CONFIG = parseConfig({ stores: [{ id: 'central', bucket: 'central' }] });
const OF_IMAGE = { id: 'image', visibility: 'shared' } as const;

function manager(secret: Uint8Array | undefined) {
  const clock = { nowMs: 0 };
  const asked: string[] = [];
  const deps = {
    config: CONFIG,
    clock: { now: () => clock.nowMs },
    lookUps: createLookUps({ now: () => clock.nowMs }, memoryLookUpCounts()),
    keyManager: {
      secret: async (id: string) => {
        asked.push(id);
        return secret;
      },
    },
  };
  return { deps, asked, clock };
}

const expectation = (properties: Record<string, string>, secret: Uint8Array | undefined) =>
  expectedSignature(manager(secret).deps, CALLER, { ...OF_IMAGE, properties });

async function verdict(properties: Record<string, string>, certificate: Buffer, bytes: Uint8Array): Promise<string> {
  const expected = await expectation(properties, certificate);
  if (expected === undefined) throw new Error('not signed');
  const digester = createDigester([], checkOf(expected));
  await digester.update(bytes);
  const { signature = '' } = await digester.digest();
  return signature;
}

describe('vectors', () => {
  it('are of every key type, every hash method and both makers', () => {
    const kinds = new Set(good.map(({ maker, keyType, hash }) => `${maker} ${keyType} ${hash}`));
    expect(kinds.size).toBe(2 * 4 * 4);
  });

  it.each(good)('$maker: $keyType $hash by $certificate', async (vector) => {
    const certificate = fixture(vector.certificate);
    const changed = Buffer.from(IMAGE);
    changed[100_000] = (changed[100_000] ?? 0) ^ 1;

    expect(await verdict(propertiesOf(vector), certificate, IMAGE)).toBe('valid');
    expect(await verdict(propertiesOf(vector), certificate, changed)).toBe('invalid');
    expect(await verdict(propertiesOf(vector), certificate, IMAGE.subarray(1))).toBe('invalid');
  });

  it.each(good)('$maker: $keyType $hash by $certificate is none under another hash method', async (vector) => {
    const hash = vector.hash === 'SHA-256' ? 'SHA-512' : 'SHA-256';
    expect(await verdict(propertiesOf({ ...vector, hash }), fixture(vector.certificate), IMAGE)).toBe('invalid');
  });
});

const [RSA] = good;
if (RSA === undefined) throw new Error('there are no vectors');
const SIGNED = propertiesOf(RSA);
const PEM = fixture('rsa.pem');

describe('properties', () => {
  it.each(Object.keys(SIGNED))('without %s an image is not signed, and nothing is looked up', async (key) => {
    const { deps, asked } = manager(PEM);
    const properties = Object.fromEntries(Object.entries(SIGNED).filter(([name]) => name !== key));

    expect(await expectedSignature(deps, CALLER, { ...OF_IMAGE, properties })).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it("a signature may stand in Python's b'…', and is plain from then on", async () => {
    const python = { ...SIGNED, img_signature: `b'${SIGNED.img_signature}'` };

    expect(await verdict(python, PEM, IMAGE)).toBe('valid');
    expect(await expectation(python, PEM)).toEqual(await expectation(SIGNED, PEM));
  });

  it.each([
    ['img_signature_hash_method', 'sha-256', 'invalid signature hash method'],
    ['img_signature_hash_method', 'MD5', 'invalid signature hash method'],
    ['img_signature_hash_method', 'constructor', 'invalid signature hash method'],
    ['img_signature_hash_method', '', 'invalid signature hash method'],
    ['img_signature_key_type', 'RSA', 'invalid signature key type'],
    ['img_signature_key_type', 'ECC_SECT571K1', 'invalid signature key type'],
    ['img_signature_key_type', 'ECC_SECT409R1', 'invalid signature key type'],
    ['img_signature_key_type', '__proto__', 'invalid signature key type'],
    ['img_signature', '', 'cannot be decoded'],
    ['img_signature', 'not base64!', 'cannot be decoded'],
    ['img_signature', `${SIGNED.img_signature}=`, 'cannot be decoded'],
    ['img_signature', `${SIGNED.img_signature}\n`, 'cannot be decoded'],
    ['img_signature', `b"${SIGNED.img_signature}"`, 'cannot be decoded'],
    ['img_signature', `b'${SIGNED.img_signature}`, 'cannot be decoded'],
    ['img_signature', `b'b'${SIGNED.img_signature}''`, 'cannot be decoded'],
    ['img_signature', "b''", 'cannot be decoded'],
    ['img_signature', 'A'.repeat(4 * 1024 * 1024), 'cannot be decoded'],
    ['img_signature_certificate_uuid', ID.toUpperCase(), 'no UUID'],
    ['img_signature_certificate_uuid', ID.replaceAll('-', ''), 'no UUID'],
    ['img_signature_certificate_uuid', `../${ID}`, 'no UUID'],
    ['img_signature_certificate_uuid', `${ID}\n`, 'no UUID'],
    ['img_signature_certificate_uuid', '', 'no UUID'],
  ])('%s: %j is refused before any look-up', async (key, value, cause) => {
    const { deps, asked } = manager(PEM);
    const asking = expectedSignature(deps, CALLER, { ...OF_IMAGE, properties: { ...SIGNED, [key]: value } });

    await expect(asking).rejects.toMatchObject({
      kind: 'InvalidInput',
      message: expect.stringMatching(`^Signature verification failed for image image: .*${cause}`),
    });
    expect(asked).toEqual([]);
  });
});

describe('certificates', () => {
  const privateKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  });
  const privateDer = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'der',
  });

  it('DER is as good as PEM', async () => {
    expect(await verdict(SIGNED, fixture('rsa.der'), IMAGE)).toBe('valid');
  });

  it.each([
    ['nothing', undefined],
    ['an empty file', Buffer.alloc(0)],
    ['text', Buffer.from('hello')],
    ['several certificates', fixture('two.pem')],
    ['a private key', Buffer.from(privateKey)],
    ['a private key as DER', privateDer],
    ['a certificate with a private key', Buffer.concat([PEM, Buffer.from(privateKey)])],
    ['a private key before a certificate', Buffer.concat([Buffer.from(privateKey), PEM])],
    ['DER with something behind it', Buffer.concat([fixture('rsa.der'), Buffer.from([0])])],
    ['DER cut short', fixture('rsa.der').subarray(0, -1)],
    ['PEM cut short', PEM.subarray(0, -60)],
    ['10 MB', Buffer.concat([PEM, Buffer.alloc(10_000_000, 0x0a)])],
  ])('%s gives one message, which says nothing of what was found', async (_name, secret) => {
    await expect(expectation(SIGNED, secret)).rejects.toThrow(
      `Signature verification failed for image image: certificate ${ID} cannot be retrieved as one X.509 certificate`,
    );
  });

  it.each([
    ['DSA', 'rsa.pem', 'key type mismatch'],
    ['RSA-PSS', 'dsa.pem', 'key type mismatch'],
    ['RSA-PSS', 'p384.pem', 'key type mismatch'],
    ['ECC_SECP384R1', 'rsa.pem', 'key type mismatch'],
    ['ECC_SECP384R1', 'dsa.pem', 'key type mismatch'],
    ['RSA-PSS', 'rsa-3072.pem', 'the signature has 256 bytes, the key makes 384'],
  ])('%s with %s is refused: %s', async (keyType, certificate, cause) => {
    const properties = { ...SIGNED, img_signature_key_type: keyType };
    await expect(expectation(properties, fixture(certificate))).rejects.toThrow(cause);
  });

  it('a key of 1024 bits is refused, however good its signature', async () => {
    const weak = vectors.find(({ maker }) => maker === 'weak');
    if (weak === undefined) throw new Error('there is no weak vector');
    await expect(expectation(propertiesOf(weak), fixture(weak.certificate))).rejects.toThrow(
      'the RSA key has 1024 bits: 2048 to 16384 are taken',
    );
  });

  it('a signature of another certificate is none', async () => {
    const [one, other] = [aSigner(), aSigner()];
    const properties = { ...SIGNED, ...one.properties(IMAGE), img_signature_certificate_uuid: ID };
    expect(await verdict(properties, one.certificate, IMAGE)).toBe('valid');
    expect(await verdict(properties, Buffer.from(asPem(one.certificate)), IMAGE)).toBe('valid');
    expect(await verdict(properties, other.certificate, IMAGE)).toBe('invalid');
  });
});

describe('look-ups', () => {
  it('failed ones are limited per project; good ones are not', async () => {
    const { deps, asked, clock } = manager(undefined);
    const image = { ...OF_IMAGE, properties: SIGNED };
    for (let n = 0; n < 60; n++) await expect(expectedSignature(deps, CALLER, image)).rejects.toThrow('cannot be');

    await expect(expectedSignature(deps, CALLER, image)).rejects.toThrow(TooManyRequests);
    expect(asked).toHaveLength(60);
    await expect(expectedSignature(deps, { projectId: 'other' }, image)).rejects.toThrow('cannot be');
    clock.nowMs += 1_000;
    await expect(expectedSignature(deps, CALLER, image)).rejects.toThrow('cannot be');

    const known = manager(PEM);
    for (let n = 0; n < 200; n++) expect(await expectedSignature(known.deps, CALLER, image)).toBeDefined();
  });

  it('a key manager that is away is no verdict', async () => {
    const away = new BackendUnavailable('away');
    const deps = { ...manager(PEM).deps, keyManager: { secret: async () => Promise.reject(away) } };
    await expect(expectedSignature(deps, CALLER, { ...OF_IMAGE, properties: SIGNED })).rejects.toBe(away);
  });

  it('what travels with a task holds the certificate, and nothing of the caller', async () => {
    const expected = await expectation(SIGNED, PEM);
    expect(Object.keys(expected ?? {}).sort()).toEqual([
      'certificate',
      'certificateId',
      'hash',
      'isRequired',
      'isTrusted',
      'keyClass',
      'signature',
    ]);
    expect(JSON.stringify(expected)).not.toContain(CALLER.token);
  });
});
