/** Checks tokens of the embedded identity service: with public keys, and reads alone. */
import type { Clock } from '../clock.ts';
import { Unauthenticated } from '../errors.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { GrantScope } from './records.ts';
import { EXPIRED_WINDOW_MS, type IdentityRepository, type TokenValidator, type ValidToken } from './repository.ts';
import { createRevocations, type Revocations } from './revocations.ts';
import { createSubjects, type Subjects } from './subjects.ts';
import type { TokenClaims, TokenVerifier } from './token.ts';

/** What checking a token reads. */
export type TokenRecords = Pick<IdentityRepository, 'get' | 'grantsOf' | 'revocations'>;

/** For a process that checks tokens and makes none. */
export function createReadOnlyValidator(records: TokenRecords, verifier: TokenVerifier, clock: Clock): TokenValidator {
  const subjects = createSubjects(records, clock);
  return createTokenValidator({ clock, verifier, subjects, revocations: createRevocations(records, clock) });
}

interface ValidatorDeps {
  readonly clock: Clock;
  readonly verifier: TokenVerifier;
  readonly subjects: Pick<Subjects, 'resolve'>;
  readonly revocations: Pick<Revocations, 'isRevoked' | 'isRevokedNow'>;
}

/** For who makes tokens as well. */
export interface IssuingValidator extends TokenValidator {
  /** As `validate`, by revocations as they are now: a token that was revoked anywhere buys no other one. */
  validateNow(token: string): Promise<ValidToken>;
}

const CACHED_TOKENS = 10_000;

export function createTokenValidator({ clock, verifier, subjects, revocations }: ValidatorDeps): IssuingValidator {
  const verified = new BoundedCache<string, TokenClaims>(CACHED_TOKENS);

  async function claimsOf(token: string): Promise<TokenClaims> {
    const known = verified.get(token);
    if (known !== undefined) return known;
    const claims = await verifier.verify(token);
    if (claims === undefined) throw new Unauthenticated('The token is not valid.');
    verified.set(token, claims);
    return claims;
  }

  async function validateBy(
    isRevoked: Revocations['isRevoked'],
    token: string,
    options?: { readonly allowExpired?: boolean },
  ): Promise<ValidToken> {
    const claims = verified.get(token) ?? (await claimsOf(token));
    const graceMs = options?.allowExpired === true ? EXPIRED_WINDOW_MS : 0;
    if (clock.now() >= claims.expiresAt + graceMs) throw new Unauthenticated('The token has expired.');
    const revoked = isRevoked(claims);
    if (typeof revoked === 'boolean' ? revoked : await revoked) throw new Unauthenticated('The token was revoked.');
    return tokenOf(claims, await subjects.resolve(subjectKey(claims)));
  }

  return {
    validate: (token, options) => validateBy(revocations.isRevoked, token, options),
    validateNow: (token) => validateBy(revocations.isRevokedNow, token),
  };
}

function scopeOf(claims: TokenClaims): GrantScope | null {
  if (claims.project !== undefined) return { kind: 'project', id: claims.project };
  if (claims.domain !== undefined) return { kind: 'domain', id: claims.domain };
  return claims.system === undefined ? null : { kind: 'system', id: 'all' };
}

/** Who a token's claims speak for. */
export function subjectKey(claims: TokenClaims) {
  return { userId: claims.user, scope: scopeOf(claims), credentialId: claims.credential ?? null };
}

/** A token's claims with their subject as it is now. */
export function tokenOf(claims: TokenClaims, subject: Awaited<ReturnType<Subjects['resolve']>>): ValidToken {
  return {
    ...subject,
    methods: claims.methods,
    auditIds: claims.audit,
    issuedAtMs: claims.issuedAt,
    expiresAtMs: claims.expiresAt,
  };
}
