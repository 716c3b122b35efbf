import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { Forbidden, NotFound, Unauthenticated } from '../errors.ts';
import { createAttempts } from './attempts.ts';
import { type DomainRef, domainIdOf, findRef, type Proofs, type Proven, prove, type RefInDomain } from './login.ts';
import { createTurnstile, hashPassword } from './password.ts';
import type { GrantScope, RevokedSubject } from './records.ts';
import { EXPIRED_WINDOW_MS, type IdentityRepository, type TokenValidator, type ValidToken } from './repository.ts';
import { createRevocations } from './revocations.ts';
import { createRevokingLimit } from './revoking.ts';
import { isAdmin } from './roles.ts';
import { createSubjects, type Subjects } from './subjects.ts';
import type { TokenClaims, TokenSigner } from './token.ts';
import { createTokenValidator, subjectKey, tokenOf } from './validator.ts';

/**
 * The embedded identity service: a Keystone v3 subset over the table (contract: identity.md; design section 7).
 * Tokens carry ids and no roles: docs/adr/0015-tokens-carry-ids-not-roles.md.
 * This folder owns users, projects, roles, credentials and tokens. HTTP is `api/identity/` and `functions/api/identity/`;
 * an existing Keystone takes its place as a `TokenValidator` (`keystone/`).
 */
export interface Identity extends TokenValidator {
  /** @throws Unauthenticated; NotFound for a bad token in the token method; TooManyRequests; Forbidden for trusts. */
  issue(request: TokenRequest, source: string): Promise<IssuedToken>;
  /** Voids one token (not those made from it). @param by who asks: a user may do so for a number of tokens an hour, an administrator for any. @throws TooManyRequests */
  revokeToken(token: ValidToken, by: ValidToken): Promise<void>;
  /** Voids every token issued until now for a user, project or credential, and forgets what is cached here. */
  revokeAll(subject: RevokedSubject): Promise<void>;
  /** Sets a new password for a user who knows the old one; voids the user's tokens. @throws Unauthenticated; TooManyRequests */
  changePassword(userId: string, original: string, password: string, source: string): Promise<void>;
  readonly subjects: Subjects;
  readonly repository: IdentityRepository;
  readonly clock: Clock;
  /** 32 hex digits. */
  readonly newId: () => string;
}

export type ScopeRequest =
  | { readonly kind: 'unscoped' }
  | { readonly kind: 'project'; readonly ref: RefInDomain }
  | { readonly kind: 'domain'; readonly ref: DomainRef }
  | { readonly kind: 'system' }
  | { readonly kind: 'trust' };

export interface TokenRequest {
  readonly proofs: Proofs;
  /** Absent: the credential's project, else the user's default project if there is a role there, else none. */
  readonly scope?: ScopeRequest;
}

export interface IssuedToken {
  readonly id: string;
  readonly token: ValidToken;
}

export interface IdentityDeps {
  readonly repository: IdentityRepository;
  readonly clock: Clock;
  /** A UUID; dashes are taken out. */
  readonly newId: () => string;
  readonly signer: TokenSigner;
  /** `identity.token_expiration`. */
  readonly tokenLifetimeSeconds: number;
}

const AUDIT_ID_BYTES = 16;

export function createIdentity({ repository, clock, newId, signer, tokenLifetimeSeconds }: IdentityDeps): Identity {
  const lifetimeMs = tokenLifetimeSeconds * 1000;
  const subjects = createSubjects(repository, clock);
  const revocations = createRevocations(repository, clock);
  const attempts = createAttempts(repository, clock);
  const revoking = createRevokingLimit(repository, clock);
  const turnstile = createTurnstile();
  const { validate, validateNow } = createTokenValidator({ clock, verifier: signer, subjects, revocations });

  async function issue(request: TokenRequest, source: string): Promise<IssuedToken> {
    // Of the time before the proof: what is revoked while it is looked at counts for the new token too.
    const now = clock.now();
    const proven = await prove({ repository, attempts, turnstile, validate: validateNow }, request.proofs, source);
    const scope = await chooseScope(proven, request.scope);
    const ends = [now + lifetimeMs, proven.token?.expiresAtMs, proven.credential?.expiresAtMs];
    const audit = randomBytes(AUDIT_ID_BYTES).toString('base64url');
    const firstAudit = proven.token?.auditIds.at(-1);
    const credentialId = proven.credential?.id ?? proven.token?.credential?.id;
    const claims: TokenClaims = {
      user: proven.userId,
      methods: [...new Set(proven.methods)],
      audit: firstAudit === undefined ? [audit] : [audit, firstAudit],
      issuedAt: now,
      expiresAt: Math.min(...ends.filter((end) => typeof end === 'number')),
      ...(scope === null ? {} : scopeClaim(scope)),
      ...(credentialId === undefined ? {} : { credential: credentialId }),
    };
    const subject = await subjects.resolveNow(subjectKey(claims));
    const id = await signer.sign(claims);
    return { id, token: tokenOf(claims, subject) };
  }

  async function chooseScope(proven: Proven, wanted: ScopeRequest | undefined): Promise<GrantScope | null> {
    const bound = proven.credential?.projectId ?? (proven.token?.credential ? proven.token.project?.id : undefined);
    if (bound !== undefined) {
      if (wanted !== undefined) throw new Unauthenticated('An application credential cannot be scoped otherwise.');
      return { kind: 'project', id: bound };
    }
    if (wanted !== undefined) return resolveScope(wanted);
    const projectId = (await repository.get('user', proven.userId))?.defaultProjectId;
    if (!projectId) return null;
    const scope = { kind: 'project', id: projectId } as const;
    const usable = await subjects
      .resolveNow({ userId: proven.userId, scope, credentialId: null })
      .then(() => true, isOtherThanUnauthenticated);
    return usable ? scope : null;
  }

  async function resolveScope(wanted: ScopeRequest): Promise<GrantScope | null> {
    switch (wanted.kind) {
      case 'unscoped':
        return null;
      case 'system':
        return { kind: 'system', id: 'all' };
      case 'trust':
        throw new Forbidden('Trusts are disabled.');
      case 'project':
        return { kind: 'project', id: existing((await findRef(repository, 'project', wanted.ref))?.id) };
      case 'domain':
        return { kind: 'domain', id: existing(await domainIdOf(repository, wanted.ref)) };
    }
  }

  async function revoke(subject: RevokedSubject): Promise<void> {
    const now = clock.now();
    // Validation of expired tokens goes on for the window, so revocations outlive it.
    const expiresAtSeconds = Math.ceil((now + lifetimeMs + EXPIRED_WINDOW_MS) / 1000);
    const revocation = { subject, issuedBeforeMs: now, expiresAtSeconds };
    await repository.revoke(revocation);
    revocations.note(revocation);
  }

  async function revokeAll(subject: RevokedSubject): Promise<void> {
    await revoke(subject);
    subjects.forget();
  }

  return {
    validate,
    issue,
    revokeToken: async ({ auditIds: [own] }, by) => {
      if (own === undefined) throw new NotFound('The token has no audit id.');
      if (!isAdmin(by)) await revoking.spend(by.user.id);
      await revoke(`token:${own}`);
    },
    revokeAll,
    changePassword: async (userId, original, password, source) => {
      const proof = { password: { user: { id: userId }, password: original } };
      await prove({ repository, attempts, turnstile, validate: validateNow }, proof, source);
      const user = await repository.get('user', userId);
      if (user === undefined) throw new NotFound(`Could not find user: ${userId}.`);
      await repository.replace('user', user, { ...user, passwordHash: await hashPassword(password) });
      await revokeAll(`user:${userId}`);
    },
    subjects,
    repository,
    clock,
    newId: () => newId().replaceAll('-', ''),
  };
}

function existing(id: string | undefined): string {
  if (id === undefined) throw new Unauthenticated('The scope does not exist or the user has no role there.');
  return id;
}

function isOtherThanUnauthenticated(error: unknown): false {
  if (!(error instanceof Unauthenticated)) throw error;
  return false;
}

function scopeClaim({ kind, id }: GrantScope): Pick<TokenClaims, 'project' | 'domain' | 'system'> {
  if (kind === 'system') return { system: 'all' };
  return kind === 'project' ? { project: id } : { domain: id };
}
