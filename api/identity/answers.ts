/** Identity on the wire (contract: identity.md sections 1 to 5). */
import { z } from 'zod';

const text = z.string();
const nullableText = text.nullable();
const self = z.object({ self: text });
const options = z.object({});
/** A whole list: there are no further pages. */
const links = z.object({ self: text, previous: z.null(), next: z.null() });

const Named = z.object({ id: text, name: text });
const NamedInDomain = Named.extend({ domain: Named });

const Version = z.object({
  id: text,
  status: text,
  updated: text,
  links: z.array(z.object({ rel: text, href: text })).readonly(),
  'media-types': z.array(z.object({ base: text, type: text })).readonly(),
});
export const VersionsAnswer = z.object({ versions: z.object({ values: z.array(Version).readonly() }) });
export const VersionAnswer = z.object({ version: Version });
export const VersionsHeaders = z.object({ location: text });

const Endpoint = z.object({ id: text, interface: text, region: text, region_id: text, url: text });
export const Catalog = z
  .array(z.object({ id: text, type: text, name: text, endpoints: z.array(Endpoint).readonly() }))
  .readonly();
export type Catalog = z.infer<typeof Catalog>;
export const CatalogAnswer = z.object({ catalog: Catalog, links: self });

export const TokenAnswer = z.object({
  token: z.object({
    methods: z.array(text).readonly(),
    user: NamedInDomain.extend({ password_expires_at: z.null() }),
    audit_ids: z.array(text).readonly(),
    issued_at: text,
    expires_at: text,
    project: NamedInDomain.exactOptional(),
    is_domain: z.literal(false).exactOptional(),
    domain: Named.exactOptional(),
    system: z.object({ all: z.literal(true) }).exactOptional(),
    roles: z.array(Named).readonly().exactOptional(),
    /** Not for an unscoped token, and not with `?nocatalog`. */
    catalog: Catalog.exactOptional(),
    application_credential: Named.extend({ restricted: z.boolean() }).exactOptional(),
  }),
});
export type TokenAnswer = z.infer<typeof TokenAnswer>;
/** The token itself. */
export const TokenHeaders = z.object({ 'x-subject-token': text });
export const SystemAnswer = z.object({
  system: z.array(z.object({ all: z.literal(true) })).readonly(),
  links: self,
});

const Domain = z.object({
  id: text,
  name: text,
  description: text,
  enabled: z.boolean(),
  tags: z.array(text).readonly(),
  options,
  links: self,
});
export type DomainView = z.infer<typeof Domain>;
const Project = z.object({
  id: text,
  name: text,
  domain_id: text,
  description: text,
  enabled: z.boolean(),
  parent_id: text,
  is_domain: z.literal(false),
  tags: z.array(text).readonly(),
  options,
  links: self,
});
export type ProjectView = z.infer<typeof Project>;
const User = z.object({
  id: text,
  name: text,
  domain_id: text,
  enabled: z.boolean(),
  email: text.exactOptional(),
  description: text.exactOptional(),
  default_project_id: text.exactOptional(),
  password_expires_at: z.null(),
  options,
  links: self,
});
export type UserView = z.infer<typeof User>;
const Role = z.object({
  id: text,
  name: text,
  domain_id: z.null(),
  description: nullableText,
  options,
  links: self,
});
export type RoleView = z.infer<typeof Role>;

export const DomainAnswer = z.object({ domain: Domain });
export const DomainsAnswer = z.object({ domains: z.array(Domain).readonly(), links });
export const ProjectAnswer = z.object({ project: Project });
export const ProjectsAnswer = z.object({ projects: z.array(Project).readonly(), links });
export const UserAnswer = z.object({ user: User });
export const UsersAnswer = z.object({ users: z.array(User).readonly(), links });
/** There are none: users get their roles themselves. Horizon asks. */
export const GroupsAnswer = z.object({ groups: z.array(z.never()).readonly(), links });
export const RoleAnswer = z.object({ role: Role });
export const RolesAnswer = z.object({ roles: z.array(Role).readonly(), links });

const Credential = z.object({
  id: text,
  name: text,
  description: nullableText,
  user_id: text,
  project_id: text,
  roles: z.array(Named.extend({ domain_id: z.null() })).readonly(),
  expires_at: nullableText,
  unrestricted: z.boolean(),
  system: z.null(),
  /** Only in the answer that made it. */
  secret: text.exactOptional(),
  links: self,
});
export type CredentialView = z.infer<typeof Credential>;
export const CredentialAnswer = z.object({ application_credential: Credential });
export const CredentialsAnswer = z.object({ application_credentials: z.array(Credential).readonly(), links });

/** With names when they were asked for. */
const Party = z.object({ id: text, name: text.exactOptional(), domain: Named.exactOptional() });
const Assignment = z.object({
  user: Party,
  role: Party,
  scope: z.union([
    z.object({ system: z.object({ all: z.literal(true) }) }),
    z.object({ project: Party }),
    z.object({ domain: Party }),
  ]),
  links: z.object({ assignment: text }),
});
export type AssignmentView = z.infer<typeof Assignment>;
export const AssignmentsAnswer = z.object({ role_assignments: z.array(Assignment).readonly(), links });
