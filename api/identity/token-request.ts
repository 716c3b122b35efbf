import { z } from 'zod';
import { Unauthenticated } from '../../core/errors.ts';
import type { ScopeRequest, TokenRequest } from '../../core/identity/identity.ts';
import type { DomainRef, Proofs, RefInDomain } from '../../core/identity/login.ts';

/** Body of `POST /v3/auth/tokens` (contract: identity.md section 2). Unknown keys are ignored, as Keystone does. */
const text = z.string().min(1).max(255);
const secret = z.string().max(4096);
const Domain = z
  .object({ id: text.optional(), name: text.optional() })
  .refine(({ id, name }) => id !== undefined || name !== undefined, 'id or name is needed');
const InDomain = z
  .object({ id: text.optional(), name: text.optional(), domain: Domain.optional() })
  .refine(
    ({ id, name, domain }) => id !== undefined || (name !== undefined && domain !== undefined),
    'id is needed, or name and domain',
  );
const METHODS = {
  password: z.object({ user: InDomain.safeExtend({ password: secret }) }),
  token: z.object({ id: z.string().min(1) }),
  application_credential: z
    .object({ id: text.optional(), name: text.optional(), user: InDomain.optional(), secret })
    .refine(
      ({ id, name, user }) => id !== undefined || (name !== undefined && user !== undefined),
      'id is needed, or name and user',
    ),
};
const Scope = z.union([
  z.literal('unscoped'),
  z
    .object({
      project: InDomain.optional(),
      domain: Domain.optional(),
      system: z.object({ all: z.literal(true) }).optional(),
      unscoped: z.object({}).optional(),
      'OS-TRUST:trust': z.object({ id: text }).optional(),
    })
    .refine((scope) => Object.keys(scope).length === 1, 'exactly one of project, domain, system, unscoped is needed'),
]);

export const TokenBody = z.object({
  auth: z.object({
    identity: z.looseObject({ methods: z.array(z.string()).min(1) }).superRefine((identity, context) => {
      for (const method of identity.methods) {
        if (!isMethod(method)) continue;
        const result = METHODS[method].safeParse(identity[method]);
        for (const issue of result.error?.issues ?? [])
          context.addIssue({ code: 'custom', message: issue.message, path: [method, ...issue.path] });
      }
    }),
    scope: Scope.optional(),
  }),
});

/** What the body asks for. @throws Unauthenticated when it names a method that is not offered. */
export function tokenRequest({ auth }: z.infer<typeof TokenBody>): TokenRequest {
  const { identity, scope } = auth;
  const unknown = identity.methods.find((method) => !isMethod(method));
  if (unknown !== undefined)
    throw new Unauthenticated(`Attempted to authenticate with an unsupported method: ${unknown}.`);
  const proofs = Object.assign(
    {},
    ...identity.methods.filter(isMethod).map((method) => proofOf(method, identity[method])),
  );
  return { proofs, ...(scope === undefined ? {} : { scope: scopeRequest(scope) }) };
}

function isMethod(method: string): method is keyof typeof METHODS {
  return Object.hasOwn(METHODS, method);
}

function proofOf(method: keyof typeof METHODS, input: unknown): Proofs {
  switch (method) {
    case 'token':
      return { token: METHODS.token.parse(input) };
    case 'password': {
      const { user } = METHODS.password.parse(input);
      return { password: { user: inDomain(user), password: user.password } };
    }
    case 'application_credential': {
      const given = METHODS.application_credential.parse(input);
      const { id, name = '', user = {} } = given;
      return {
        credential:
          id === undefined ? { name, user: inDomain(user), secret: given.secret } : { id, secret: given.secret },
      };
    }
  }
}

function scopeRequest(scope: z.infer<typeof Scope>): ScopeRequest {
  if (scope === 'unscoped' || scope.unscoped) return { kind: 'unscoped' };
  if (scope.project) return { kind: 'project', ref: inDomain(scope.project) };
  if (scope.domain) return { kind: 'domain', ref: reference(scope.domain) };
  return scope.system ? { kind: 'system' } : { kind: 'trust' };
}

/** The schemas have seen that there is an id or a name. */
function reference({ id, name = '' }: z.infer<typeof Domain>): DomainRef {
  return id === undefined ? { name } : { id };
}

function inDomain({ id, name = '', domain = {} }: z.infer<typeof InDomain>): RefInDomain {
  return id === undefined ? { name, domain: reference(domain) } : { id };
}
