/**
 * What partition keys of the table and its indexes begin with, by who may use them: patterns of IAM's StringLike. The keys themselves
 * are made in aws/dynamodb/keys.ts (a unit test compares), and infra/permissions.ts makes conditions of these.
 */

/** Records of images, tasks, duties, usage and the catalog. */
export const SERVICE_KEYS = [
  'IMAGE#*',
  'TASK#*',
  'PROGRESS#*',
  'RATES',
  'DUTY#*',
  'USAGE#*',
  'METADEF*',
  'LOOKUPS#*',
  // Partitions of indexes.
  'OWNER#*',
  'VIS#*',
  'SHARED#*',
  'TASKS#*',
  'DUTIES',
  'USAGES',
] as const;

/** What imports keep apart, sealed: whole URLs of web-downloads, tokens of glance-downloads. */
export const SOURCE_KEYS = ['SOURCE#*'] as const;

/** Users, projects, roles, credentials, grants, revocations: who holds a way to write them can become anybody. */
export const IDENTITY_KEYS = [
  'ID#*',
  'NAME#*',
  'GRANTS#*',
  'REVOCATIONS',
  'FAILURES#*',
  // Partitions of indexes.
  'IDS#*',
  'GRANTED',
  'GRANTED#*',
] as const;

/** Of those, what a token names and whether it was revoked. */
export const TOKEN_KEYS = ['ID#*', 'GRANTS#*', 'REVOCATIONS'] as const;

/** Of those, projects by id and by name. */
export const PROJECT_KEYS = ['ID#project#*', 'NAME#project#*'] as const;
