/**
 * Every key of the single table, in one place. A record is found by `pk`/`sk`; the four generic indexes carry what each kind
 * needs read in order. Prefixes are upper case; parts are joined by `#`. Order parts are fixed width or last.
 *
 * | Record | pk / sk | gsi1 | gsi2 | gsi3 | gsi4 |
 * |---|---|---|---|---|---|
 * | image | IMAGE#id / IMAGE | owner, by created | owner, by name | visibility shard, by created | visibility shard, by name |
 * | member | IMAGE#id / MEMBER#project | project + status, by image created | | | |
 * | count of members | IMAGE#id / MEMBERS | | | | |
 * | upload session | IMAGE#id / UPLOAD#session | | | | |
 * | deleted id | IMAGE#id / IMAGE, with `deleted_at` and nothing else | | | | |
 * | task | TASK#id / TASK | image, by created | owner, by created | live tasks, by created | all tasks, by created |
 * | batch | TASK#id / BATCH#phase#n | | | | |
 * | secret of a source | SOURCE#task / SOURCE | | | | |
 * | progress of a task | PROGRESS#task / PROGRESS | | | | |
 * | pace of each phase | RATES / RATES | | | | |
 * | duty | DUTY#id / DUTY | due time | | | |
 * | user, project, role … | identity-keys below | | | | |
 */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** Visibility partitions are spread over shards so that no partition gets hot; one is enough locally. */
export function visibilityShard(imageId: string, shards: number): number {
  return Number.parseInt(imageId.slice(0, 4), 16) % shards || 0;
}

export const imageKey = (id: string): Key => ({ pk: `IMAGE#${id}`, sk: 'IMAGE' });
export const memberKey = (imageId: string, project: string): Key => ({
  pk: `IMAGE#${imageId}`,
  sk: `MEMBER#${project}`,
});
/** Upload sessions lie beside their image. */
export const uploadSessionKey = (imageId: string, id: string): Key => ({ pk: `IMAGE#${imageId}`, sk: `UPLOAD#${id}` });
export const taskKey = (id: string): Key => ({ pk: `TASK#${id}`, sk: 'TASK' });
/** How many members an image has; it sorts beside them. */
export const memberCountKey = (imageId: string): Key => ({ pk: `IMAGE#${imageId}`, sk: 'MEMBERS' });
export const batchKey = (taskId: string, phase: string, batch: number): Key => ({
  pk: `TASK#${taskId}`,
  sk: `BATCH#${phase}#${batch}`,
});
/** What the fetch of an import needs and nobody else may see (core/tasks/source-secrets.ts): a partition of its own, for conditions of roles. */
export const sourceSecretKey = (taskId: string): Key => ({ pk: `SOURCE#${taskId}`, sk: 'SOURCE' });
/** How far the task is that holds an image's lock: where a write costs one unit, and away from the batches of hundreds of workers. */
export const progressKey = (taskId: string): Key => ({ pk: `PROGRESS#${taskId}`, sk: 'PROGRESS' });
/** What ended imports showed of each phase's pace: one record. */
export const RATES_KEY: Key = { pk: 'RATES', sk: 'RATES' };
export const dutyKey = (id: string): Key => ({ pk: `DUTY#${id}`, sk: 'DUTY' });

/** Index partitions of an image: what it is listed under. */
export const ownerPartition = (owner: string): string => `OWNER#${owner}`;
export const visibilityPartition = (visibility: string, shard: number): string => `VIS#${visibility}#${shard}`;
/** Sort values: ISO time with milliseconds (fixed width), then id; or name (nulls first), then created, then id. */
export const byCreated = (createdAt: string, id: string): string => `${createdAt}#${id}`;
export const byName = (name: string | null, createdAt: string, id: string): string =>
  `${name === null ? '0' : `1${name}`}\u0000${createdAt}#${id}`;

/** Counter of what a project's images take; and what the index lists it by, under one partition. */
export const usageKey = (project: string): Key => ({ pk: `USAGE#${project}`, sk: 'USAGE' });
export const usageListedKey = (project: string): Key => ({ pk: `USAGE#${project}`, sk: 'LISTED' });
export const USAGES = 'USAGES';
export const memberPartition = (project: string, status: string): string => `SHARED#${project}#${status}`;
export const imageTasksPartition = (imageId: string): string => `TASKS#IMAGE#${imageId}`;
export const ownerTasksPartition = (owner: string): string => `TASKS#OWNER#${owner}`;
export const LIVE_TASKS = 'TASKS#LIVE';
export const ALL_TASKS = 'TASKS#ALL';
export const DUTIES = 'DUTIES';
/** Fixed width, so that text order is number order. */
export const byDue = (dueAtMs: number, id: string): string => `${String(dueAtMs).padStart(15, '0')}#${id}`;

/*
 * Identity. Grants lie beside their user, so that a token is resolved by one query; names are claims of their own.
 *
 * | Record | pk / sk | gsi1 | gsi2 |
 * |---|---|---|---|
 * | user, project, domain, role | ID#kind#id / RECORD | kind, by name | |
 * | application credential | ID#credential#id / RECORD | user, by name | |
 * | claim of a name | NAME#kind#space#name / NAME | | |
 * | grant | GRANTS#user / scope#role | scope | all grants |
 * | revocation | REVOCATIONS / subject | | |
 * | failed log-ins | FAILURES#window#source#account / FAILURES | | |
 */
export const identityKey = (kind: string, id: string): Key => ({ pk: `ID#${kind}#${id}`, sk: 'RECORD' });
export const nameKey = (kind: string, space: string, name: string): Key => ({
  pk: `NAME#${kind}#${space}#${name}`,
  sk: 'NAME',
});
/** `space` is the user of credentials, else empty. */
export const identityPartition = (kind: string, space: string): string => `IDS#${kind}#${space}`;
export const grantKey = (userId: string, kind: string, scopeId: string, roleId: string): Key => ({
  pk: `GRANTS#${userId}`,
  sk: `${kind}#${scopeId}#${roleId}`,
});
export const scopePartition = (kind: string, scopeId: string): string => `GRANTED#${kind}#${scopeId}`;
export const ALL_GRANTS = 'GRANTED';
export const REVOCATIONS = 'REVOCATIONS';
export const failuresKey = (key: string): Key => ({ pk: `FAILURES#${key}`, sk: 'FAILURES' });

/*
 * The metadata definitions catalog. A namespace and what it holds are one partition under an id that survives renaming; names
 * are claims. Children lie under a generation id, so that all of a kind can be replaced at once (core/metadefs/namespace.ts).
 *
 * | Record | pk / sk | gsi1 | gsi2 | gsi3 | gsi4 |
 * |---|---|---|---|---|---|
 * | namespace | METADEF#id / NAMESPACE | owner, by created | owner, by name | visibility, by created | visibility, by name |
 * | property, object, tag | METADEF#id / kind#generation#name | | | | |
 * | claim of a name | METADEFNAME#name / NAME | | | | |
 * | resource type | METADEFTYPES / name | | | | |
 * | what a project's namespaces hold | METADEFUSE#project / USE | | | | |
 * | the standard catalog was loaded | METADEFLOADED / LOADED | | | | |
 */
export const namespaceKey = (id: string): Key => ({ pk: `METADEF#${id}`, sk: 'NAMESPACE' });
/** Every kind sorts after `NAMESPACE`. */
const CHILD_LETTER = { properties: 'P', objects: 'O', tags: 'T' } as const;
export const generationPrefix = (kind: keyof typeof CHILD_LETTER, generation: string): string =>
  `${CHILD_LETTER[kind]}#${generation}#`;
export const metadefChildKey = (
  namespaceId: string,
  kind: keyof typeof CHILD_LETTER,
  generation: string,
  name: string,
): Key => ({ pk: `METADEF#${namespaceId}`, sk: `${generationPrefix(kind, generation)}${name}` });
export const namespaceNameKey = (name: string): Key => ({ pk: `METADEFNAME#${name}`, sk: 'NAME' });
export const RESOURCE_TYPES = 'METADEFTYPES';
export const resourceTypeKey = (name: string): Key => ({ pk: RESOURCE_TYPES, sk: name });
export const metadefUseKey = (project: string): Key => ({ pk: `METADEFUSE#${project}`, sk: 'USE' });
export const METADEFS_LOADED: Key = { pk: 'METADEFLOADED', sk: 'LOADED' };
export const namespaceOwnerPartition = (owner: string): string => `METADEFOWNER#${owner}`;
export const namespaceVisibilityPartition = (visibility: string): string => `METADEFVIS#${visibility}`;
