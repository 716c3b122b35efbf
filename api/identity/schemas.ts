import { z } from 'zod';

/** Bodies of identity requests (contract: identity.md sections 4 and 5). Unknown keys are ignored, as Keystone does. */
const name = z.string().trim().min(1).max(255);
const id = z.string().min(1).max(64);
const description = z.string().max(4096);
const password = z.string().min(1).max(4096);

const domain = z.object({ name, description: description.nullish(), enabled: z.boolean().optional() });
const project = z.object({
  name: z.string().trim().min(1).max(64),
  domain_id: id.nullish(),
  description: description.nullish(),
  enabled: z.boolean().optional(),
  tags: z.array(z.string().min(1).max(255)).max(80).optional(),
});
const user = z.object({
  name,
  domain_id: id.nullish(),
  password: password.nullish(),
  enabled: z.boolean().optional(),
  email: z.string().max(255).nullish(),
  description: description.nullish(),
  default_project_id: id.nullish(),
});
const role = z.object({ name, description: description.nullish() });

export const DomainCreate = z.object({ domain });
export const DomainUpdate = z.object({ domain: domain.partial() });
export const ProjectCreate = z.object({ project });
export const ProjectUpdate = z.object({ project: project.omit({ domain_id: true }).partial() });
export const UserCreate = z.object({ user });
export const UserUpdate = z.object({ user: user.omit({ domain_id: true }).partial() });
export const RoleCreate = z.object({ role });
export const RoleUpdate = z.object({ role: role.partial() });

export const PasswordChange = z.object({ user: z.object({ original_password: z.string().max(4096), password }) });

/** Without a zone the time is UTC, as Keystone's clients send it. */
const expiresAt = z.iso
  .datetime({ local: true, offset: true })
  .transform((time) => Date.parse(/(Z|[+-]\d\d:?\d\d)$/i.test(time) ? time : `${time}Z`));

export const CredentialCreate = z.object({
  application_credential: z.object({
    name,
    description: description.nullish(),
    secret: password.nullish(),
    expires_at: expiresAt.nullish(),
    roles: z.array(z.object({ id: id.optional(), name: name.optional() })).optional(),
    unrestricted: z.boolean().nullish(),
  }),
});
