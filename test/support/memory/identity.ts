import type { Clock } from '../../../core/clock.ts';
import { Conflict, NotFound } from '../../../core/errors.ts';
import {
  type Grant,
  NAME_SPACE,
  type NamedRecords,
  type RecordKind,
  type Revocation,
} from '../../../core/identity/records.ts';
import type { IdentityRepository } from '../../../core/identity/repository.ts';
import { byText, Records } from './records.ts';

type AnyRecord = NamedRecords[RecordKind];

export function memoryIdentity(clock: Clock): IdentityRepository {
  const records = new Records<AnyRecord>();
  const names = new Map<string, string>();
  const grants = new Records<Grant>();
  const revocations = new Records<Revocation>();
  const failures = new Map<string, number>();

  const keyOf = (kind: RecordKind, id: string) => `${kind} ${id}`;
  const nameIn = (kind: RecordKind, space: string, name: string) => `${kind} ${space} ${name}`;
  const claimOf = <K extends RecordKind>(kind: K, record: NamedRecords[K]) =>
    nameIn(kind, NAME_SPACE[kind](record), record.name);
  const grantKey = ({ userId, roleId, scope }: Grant) => `${userId}#${scope.kind}#${scope.id}#${roleId}`;
  const grantsWhere = (isWanted: (grant: Grant) => boolean) =>
    grants
      .entries()
      .map(([, grant]) => grant)
      .filter(isWanted);

  function get<K extends RecordKind>(kind: K, id: string): NamedRecords[K] | undefined {
    return records.get(keyOf(kind, id)) as NamedRecords[K] | undefined;
  }

  function claim<K extends RecordKind>(kind: K, record: NamedRecords[K]): void {
    if (names.has(claimOf(kind, record)))
      throw new Conflict(
        `Conflict occurred attempting to store ${kind}: the name ${JSON.stringify(record.name)} is taken.`,
      );
    names.set(claimOf(kind, record), record.id);
  }

  return {
    get: async (kind, id) => get(kind, id),

    create: async (kind, record) => {
      if (records.has(keyOf(kind, record.id)))
        throw new Conflict(`Conflict occurred attempting to store ${kind}: the id ${record.id} is taken.`);
      claim(kind, record);
      records.set(keyOf(kind, record.id), record);
    },

    findByName: async (kind, space, name) => {
      const id = names.get(nameIn(kind, space, name));
      return id === undefined ? undefined : get(kind, id);
    },

    replace: async (kind, before, after) => {
      if (!records.has(keyOf(kind, before.id))) throw new NotFound(`Could not find ${kind}: ${before.id}.`);
      if (claimOf(kind, before) !== claimOf(kind, after)) {
        claim(kind, after);
        names.delete(claimOf(kind, before));
      }
      records.set(keyOf(kind, after.id), after);
    },

    delete: async (kind, record) => {
      records.delete(keyOf(kind, record.id));
      if (names.get(claimOf(kind, record)) === record.id) names.delete(claimOf(kind, record));
    },

    list: async <K extends RecordKind>(kind: K, userId = '') =>
      records
        .entries()
        .filter(([key, record]) => key.startsWith(`${kind} `) && userOf(record) === userId)
        .map(([, record]) => record as NamedRecords[K])
        .toSorted((a, b) => byText(a.name, b.name) || byText(a.id, b.id)),

    putGrant: async (grant) => grants.set(grantKey(grant), grant),
    removeGrant: async (grant) => grants.delete(grantKey(grant)),
    grantsOf: async (userId) => grantsWhere((grant) => grant.userId === userId),
    grantsOn: async ({ kind, id }) => grantsWhere(({ scope }) => scope.kind === kind && scope.id === id),
    allGrants: async () => grantsWhere(() => true),

    async revoke(revocation) {
      const known = revocations.get(revocation.subject);
      // A late write must not take back what a later one revoked.
      if (known === undefined || known.issuedBeforeMs < revocation.issuedBeforeMs)
        revocations.set(revocation.subject, revocation);
    },
    revocations: async () =>
      revocations.values().filter(({ expiresAtSeconds }) => expiresAtSeconds > Math.floor(clock.now() / 1000)),

    failures: async (keys) => keys.map((key) => failures.get(key) ?? 0),
    async countFailure(key) {
      failures.set(key, (failures.get(key) ?? 0) + 1);
    },
  };
}

const userOf = (record: AnyRecord): string => ('userId' in record ? record.userId : '');
