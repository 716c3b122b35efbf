/** Tokens that somebody made up: every attempt on the form of a JWS that is known (RFC 8725), against who makes tokens and who only checks them. */
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { exportJWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { publicHalf } from '../../../../core/identity/public-half.ts';
import {
  createTokenSigner,
  createTokenVerifier,
  type SigningKey,
  type TokenClaims,
  type TokenVerifier,
} from '../../../../core/identity/token.ts';

const CLAIMS: TokenClaims = {
  ...{ user: 'u', methods: ['password'], audit: ['a'], issuedAt: 1, expiresAt: 2, project: 'p' },
};
const ADMIN = { ...CLAIMS, user: 'admin', system: 'all' };

const coded = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const es256 = (input: string, key: KeyObject): string =>
  sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
const hs256 = (input: string, secret: string | Buffer): string =>
  createHmac('sha256', secret).update(input).digest('base64url');

const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const OWN_PUBLIC = own.publicKey.export({ format: 'jwk' });
const STRANGER_PUBLIC = stranger.publicKey.export({ format: 'jwk' });

/** With a signature of the stranger's, under a header that says whose it would be. */
function strangers(header: object, claims: unknown = ADMIN, key = stranger.privateKey): string {
  const input = `${coded(header)}.${coded(claims)}`;
  return `${input}.${es256(input, key)}`;
}
const byHmac = (secret: string | Buffer, header: object = { alg: 'HS256' }): string => {
  const input = `${coded(header)}.${coded(ADMIN)}`;
  return `${input}.${hs256(input, secret)}`;
};

let good: string;
let other: string;
let verifiers: Record<string, TokenVerifier>;
beforeAll(async () => {
  const key = (await exportJWK(own.privateKey)) as SigningKey;
  const signer = await createTokenSigner([key]);
  [good, other] = [await signer.sign(CLAIMS), await signer.sign({ ...CLAIMS, project: 'q' })];
  verifiers = { maker: signer, checker: await createTokenVerifier([publicHalf(key)]) };
});
const partsOf = (token: string): [string, string, string] => token.split('.') as [string, string, string];

describe.each(['maker', 'checker'])('a %s of tokens', (who) => {
  it('takes those that were made with its key, and what they say', async () => {
    expect(await verifiers[who]?.verify(good)).toEqual(CLAIMS);
  });

  it.each<[string, () => string]>([
    ['nothing', () => ''],
    ['no signature, by alg none', () => `${coded({ alg: 'none' })}.${coded(ADMIN)}.`],
    ['no signature, by alg None', () => `${coded({ alg: 'None' })}.${coded(ADMIN)}.`],
    ['none under a true signature', () => `${coded({ alg: 'none' })}.${partsOf(good)[1]}.${partsOf(good)[2]}`],
    ['no alg', () => strangers({})],
    ['another key', () => strangers({ alg: 'ES256' })],
    ['another key, by kid', () => strangers({ alg: 'ES256', kid: 'own' })],
    ['another key, in the token', () => strangers({ alg: 'ES256', jwk: STRANGER_PUBLIC })],
    ['another key, at a URL', () => strangers({ alg: 'ES256', jku: 'https://example.org/keys' })],
    ['another key, by certificate', () => strangers({ alg: 'ES256', x5u: 'https://example.org/c', x5c: ['MII='] })],
    ['another issuer', () => strangers({ alg: 'ES256', iss: 'us' }, { ...ADMIN, iss: 'us' })],
    ['HMAC with nothing', () => byHmac('')],
    ['HMAC with the public key as JWK', () => byHmac(JSON.stringify(OWN_PUBLIC))],
    ['HMAC with the public key as PEM', () => byHmac(own.publicKey.export({ type: 'spki', format: 'pem' }))],
    ['HMAC with the public key as DER', () => byHmac(own.publicKey.export({ type: 'spki', format: 'der' }))],
    [
      'HMAC that calls itself ES256',
      () => byHmac(own.publicKey.export({ type: 'spki', format: 'der' }), { alg: 'ES256' }),
    ],
    ['an empty signature', () => `${partsOf(good)[0]}.${partsOf(good)[1]}.`],
    [
      'a signature of zeroes',
      () => `${partsOf(good)[0]}.${partsOf(good)[1]}.${Buffer.alloc(64).toString('base64url')}`,
    ],
    ['a signature of fewer bytes', () => good.slice(0, -4)],
    [
      'a signature as DER',
      () => {
        const [head, body] = partsOf(good);
        return `${head}.${body}.${sign('sha256', Buffer.from(`${head}.${body}`), own.privateKey).toString('base64url')}`;
      },
    ],
    ['other claims', () => `${partsOf(good)[0]}.${coded(ADMIN)}.${partsOf(good)[2]}`],
    ['the claims of another', () => `${partsOf(good)[0]}.${partsOf(other)[1]}.${partsOf(good)[2]}`],
    ['parts in another order', () => partsOf(good).toReversed().join('.')],
    ['two parts', () => partsOf(good).slice(0, 2).join('.')],
    ['five parts, as if it were encrypted', () => `${good}.a.b`],
    ['two tokens', () => `${good}.${good}`],
    ['a longer one', () => `${good}${'A'.repeat(4096)}`],
    ['a huge one', () => 'A'.repeat(10_000_000)],
    ['JSON in place of the compact form', () => JSON.stringify({ payload: partsOf(good)[1], signatures: [] })],
    ['a header that is no JSON', () => `${coded('{')}.${partsOf(good)[1]}.${partsOf(good)[2]}`],
    ['a header with __proto__', () => strangers(JSON.parse('{"alg":"ES256","__proto__":{"kid":"own"}}'))],
  ])('refuses %s', async (_, token) => {
    expect(await verifiers[who]?.verify(token())).toBeUndefined();
  });

  it.each<[string, object, unknown]>([
    ['an extension it does not know', { alg: 'ES256', crit: ['x'], x: 1 }, ADMIN],
    ['claims that are not coded', { alg: 'ES256', b64: false, crit: ['b64'] }, ADMIN],
    ['a claim it does not know', { alg: 'ES256' }, { ...CLAIMS, roles: ['admin'] }],
    ['a claim of another kind', { alg: 'ES256' }, { ...CLAIMS, project: { id: 'p' } }],
    ['no claims', { alg: 'ES256' }, []],
    ['what is no JSON', { alg: 'ES256' }, '{'],
  ])('refuses %s even under its own key', async (_, header, claims) => {
    expect(await verifiers[who]?.verify(strangers(header, claims, own.privateKey))).toBeUndefined();
  });
});

it('who only checks tokens is given no private key, and no key of another kind', async () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  for (const key of [own.privateKey, createPublicKey(rsa.privateKey)])
    await expect(createTokenVerifier([key.export({ format: 'jwk' }) as SigningKey])).rejects.toThrow(TypeError);
  await expect(createTokenVerifier([])).rejects.toThrow(TypeError);
});
