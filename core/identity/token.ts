import { CompactSign, compactVerify, importJWK, type JWK } from 'jose';
import { z } from 'zod';

/**
 * Tokens are JWS (RFC 7515, compact form, ES256). They carry ids and no names or roles: a token stays near 400 bytes, and a
 * role that is taken away, or a renamed project, counts within seconds and not when the token ends.
 */
const TokenClaims = z.strictObject({
  user: z.string(),
  methods: z.array(z.string()).min(1),
  audit: z.array(z.string()).min(1).max(2),
  /** Milliseconds since the epoch. */
  issuedAt: z.number(),
  expiresAt: z.number(),
  project: z.string().optional(),
  domain: z.string().optional(),
  system: z.literal('all').optional(),
  credential: z.string().optional(),
});
export type TokenClaims = z.infer<typeof TokenClaims>;

/** A private EC key on P-256 as JWK (RFC 7517), `d` included. */
export type SigningKey = JWK;

export interface TokenVerifier {
  /** Undefined when the token was not made with one of the keys. Says nothing about time or revocation. */
  verify(token: string): Promise<TokenClaims | undefined>;
}

export interface TokenSigner extends TokenVerifier {
  sign(claims: TokenClaims): Promise<string>;
}

/** Longer tokens are not ours: they are refused before any work. */
const MAX_TOKEN_LENGTH = 4096;

/** @param keys the first signs, all verify: put a new one in front to rotate. @throws TypeError when a key is not an EC P-256 JWK. */
export async function createTokenSigner(keys: readonly SigningKey[]): Promise<TokenSigner> {
  const imported = await Promise.all(keys.map(pairOf));
  const [current] = imported;
  if (current === undefined) throw new TypeError('identity: a signing key is needed');
  return {
    sign: (claims) =>
      new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
        .setProtectedHeader({ alg: 'ES256' })
        .sign(current.privateKey),
    ...verifierOf(imported.map(({ publicKey }) => publicKey)),
  };
}

/**
 * For who checks tokens and makes none: a private key is refused, so that nobody holds one by mistake.
 * @throws TypeError when a key is not a public EC P-256 JWK.
 */
export async function createTokenVerifier(keys: readonly JWK[]): Promise<TokenVerifier> {
  if (keys.length === 0) throw new TypeError('identity: a verification key is needed');
  return verifierOf(await Promise.all(keys.map(publicOf)));
}

function verifierOf(keys: readonly Parameters<typeof compactVerify>[1][]): TokenVerifier {
  return {
    verify: async (token) => {
      if (token.length > MAX_TOKEN_LENGTH) return undefined;
      for (const key of keys) {
        const verified = await compactVerify(token, key, { algorithms: ['ES256'] }).catch(() => undefined);
        if (verified) return claimsIn(verified.payload);
      }
      return undefined;
    },
  };
}

function claimsIn(payload: Uint8Array): TokenClaims | undefined {
  try {
    return TokenClaims.safeParse(JSON.parse(new TextDecoder().decode(payload))).data;
  } catch {
    return undefined;
  }
}

async function publicOf(key: JWK) {
  if (key.kty !== 'EC' || key.crv !== 'P-256' || key.d !== undefined)
    throw new TypeError('identity: a verification key must be a public EC key on P-256, as JWK');
  return importJWK(key, 'ES256');
}

async function pairOf(key: SigningKey) {
  if (key.kty !== 'EC' || key.crv !== 'P-256' || key.d === undefined)
    throw new TypeError('identity: the signing key must be a private EC key on P-256, as JWK');
  const { d: _private, key_ops: _use, ...open } = key;
  return { privateKey: await importJWK(key, 'ES256'), publicKey: await importJWK(open, 'ES256') };
}
