import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { TransactWriteCommand, type TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../core/clock.ts';
import { Conflict, NotFound } from '../../core/errors.ts';
import { NAME_SPACE, type NamedRecords, type RecordKind } from '../../core/identity/records.ts';
import type { IdentityRepository } from '../../core/identity/repository.ts';
import { createGrantRecords } from './identity-grants.ts';
import { createIdentityReads, createProjectReads } from './identity-reads.ts';
import { createRevocationRecords } from './identity-revocations.ts';
import { identityKey, identityPartition, nameKey } from './keys.ts';
import { queryAll } from './query-all.ts';
import type { IdentityRow, Table } from './table.ts';

type Writes = NonNullable<TransactWriteCommandInput['TransactItems']>;

/**
 * Identity records in the single table. A record and the claim of its name are written in one transaction, so a name is
 * never held by nothing and never by two.
 */
export function createIdentityRepository(table: Table, clock: Clock): IdentityRepository {
  const { client, name: TableName } = table;

  const put = (kind: RecordKind, record: NamedRecords[RecordKind], condition: string) => ({
    Put: {
      TableName,
      Item: {
        ...identityKey(kind, record.id),
        gsi1pk: identityPartition(kind, userOf(record)),
        gsi1sk: sortKeyOf(record),
        record,
      },
      ConditionExpression: condition,
    },
  });
  const claimOf = <K extends RecordKind>(kind: K, record: NamedRecords[K]) =>
    nameKey(kind, NAME_SPACE[kind](record), record.name);
  const claim = <K extends RecordKind>(kind: K, record: NamedRecords[K]) => ({
    Put: {
      TableName,
      Item: { ...claimOf(kind, record), id: record.id },
      ConditionExpression: 'attribute_not_exists(pk)',
    },
  });
  const release = <K extends RecordKind>(kind: K, record: NamedRecords[K]) => ({
    Delete: {
      TableName,
      Key: claimOf(kind, record),
      ConditionExpression: 'attribute_not_exists(pk) OR id = :id',
      ExpressionAttributeValues: { ':id': record.id },
    },
  });

  async function write(items: Writes, refusals: readonly (() => Error)[]): Promise<void> {
    try {
      await client.send(new TransactWriteCommand({ TransactItems: items }));
    } catch (error) {
      const refused = failedCondition(error);
      const refusal = refused === undefined ? undefined : refusals[refused];
      throw refusal === undefined ? error : refusal();
    }
  }

  const recentKey = (kind: RecordKind, { id }: { readonly id: string }) => `${kind}#${id}`;
  const note = (kind: RecordKind, record: NamedRecords[RecordKind]) =>
    table.recent.identity.note(recentKey(kind, record), { kind, record });
  const userOf = (record: NamedRecords[RecordKind]) => ('userId' in record ? record.userId : '');

  const taken = (kind: string, name: string) => () =>
    new Conflict(`Conflict occurred attempting to store ${kind}: the name ${JSON.stringify(name)} is taken.`);
  const gone = (kind: string, id: string) => () => new NotFound(`Could not find ${kind}: ${id}.`);

  return {
    ...createProjectReads(table),
    create: async (kind, record) => {
      await write(
        [put(kind, record, 'attribute_not_exists(pk)'), claim(kind, record)],
        [
          () => new Conflict(`Conflict occurred attempting to store ${kind}: the id ${record.id} is taken.`),
          taken(kind, record.name),
        ],
      );
      note(kind, record);
    },
    replace: async (kind, before, after) => {
      const record = put(kind, after, 'attribute_exists(pk)');
      const isRenamed = claimOf(kind, before).pk !== claimOf(kind, after).pk;
      const names = isRenamed ? [claim(kind, after), release(kind, before)] : [];
      await write([record, ...names], [gone(kind, before.id), taken(kind, after.name), gone(kind, before.id)]);
      note(kind, after);
    },
    delete: async (kind, record) => {
      await write([{ Delete: { TableName, Key: identityKey(kind, record.id) } }, release(kind, record)], []);
      table.recent.identity.note(recentKey(kind, record), undefined);
    },
    list: async <K extends RecordKind>(kind: K, userId = '') => {
      const rows: IdentityRow[] = [];
      for await (const item of queryAll(table, {
        IndexName: 'gsi1',
        KeyConditionExpression: 'gsi1pk = :pk',
        ExpressionAttributeValues: { ':pk': identityPartition(kind, userId) },
      }))
        rows.push({ kind, record: item['record'] as NamedRecords[K] });
      return table.recent.identity
        .over(
          rows,
          (row) => recentKey(row.kind, row.record),
          (row) => row.kind === kind && userOf(row.record) === userId,
        )
        .map(({ record }) => record as NamedRecords[K])
        .sort((a, b) => (sortKeyOf(a) < sortKeyOf(b) ? -1 : 1));
    },
    ...createGrantRecords(table),
    ...createRevocationRecords(table),
    ...createIdentityReads(table, clock),
  };
}

const sortKeyOf = ({ name, id }: NamedRecords[RecordKind]): string => `${name}\u0000${id}`;

/** Which write of a cancelled transaction failed its condition; undefined when it was cancelled for another reason. */
function failedCondition(error: unknown): number | undefined {
  if (!(error instanceof TransactionCanceledException)) return undefined;
  const at = error.CancellationReasons?.findIndex(({ Code }) => Code === 'ConditionalCheckFailed') ?? -1;
  return at < 0 ? undefined : at;
}
