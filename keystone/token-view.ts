import { z } from 'zod';
import type { ValidToken } from '../core/identity/repository.ts';

/** Body of Keystone's `GET /v3/auth/tokens`, as far as it is used (contract: identity.md section 2). */
const Named = z.object({ id: z.string(), name: z.string() });
const InDomain = Named.extend({ domain: Named });
const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

export const TokenView = z.object({
  token: z.object({
    methods: z.array(z.string()).default([]),
    user: InDomain,
    project: InDomain.optional(),
    domain: Named.optional(),
    system: z.object({ all: z.boolean().optional() }).optional(),
    roles: z.array(Named).default([]),
    audit_ids: z.array(z.string()).default([]),
    issued_at: time,
    expires_at: time,
    application_credential: Named.extend({ restricted: z.boolean().default(true) }).optional(),
  }),
});

/** The token as the service knows it. */
export function validTokenOf({ token }: z.infer<typeof TokenView>): ValidToken {
  return {
    methods: token.methods,
    user: token.user,
    project: token.project ?? null,
    domain: token.domain ?? null,
    system: token.system?.all === true ? 'all' : null,
    roles: token.roles,
    auditIds: token.audit_ids,
    issuedAtMs: token.issued_at,
    expiresAtMs: token.expires_at,
    credential: token.application_credential ?? null,
  };
}
