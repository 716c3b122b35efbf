import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Grant, NamedRecords, RecordKind } from '../../core/identity/records.ts';
import type { Image } from '../../core/images/image.ts';
import type { Member } from '../../core/members/member.ts';
import type { Namespace } from '../../core/metadefs/namespace.ts';
import type { Task } from '../../core/tasks/task.ts';
import { patient } from '../throttling.ts';
import { readNatively } from './native-answers.ts';
import { RecentWrites } from './recent-writes.ts';

/** The one table: a document client and its name. Repositories take this and nothing else of the SDK's clients. */
export interface Table {
  readonly name: string;
  readonly client: DynamoDBDocumentClient;
  /** This process's latest writes, for lists that read a lagging index. */
  readonly recent: {
    readonly images: RecentWrites<Image>;
    readonly members: RecentWrites<Member>;
    readonly tasks: RecentWrites<Task>;
    readonly namespaces: RecentWrites<Namespace>;
    readonly identity: RecentWrites<IdentityRow>;
    readonly grants: RecentWrites<Grant>;
  };
}

/** A record of the identity service and its kind. */
export interface IdentityRow {
  readonly kind: RecordKind;
  readonly record: NamedRecords[RecordKind];
}

/**
 * Wraps a client so that sets stay sets, empty strings stay, and undefined attributes are left out. The client is the table's from then
 * on: it answers with plain values itself (native-answers.ts), and throws Throttled where the table takes no more (throttling.ts).
 */
export function tableOf(client: DynamoDBClient, name: string): Table {
  // It prepares every answer for a logger that throws it away: 7 % of the busy time in a profile of lists.
  client.middlewareStack.remove('loggerMiddleware');
  readNatively(patient(client));
  return {
    name,
    recent: {
      images: new RecentWrites<Image>((image, known) => image.revision < known.revision),
      members: new RecentWrites<Member>((member, known) => member.updatedAt < known.updatedAt),
      tasks: new RecentWrites<Task>((task, known) => task.updatedAt < known.updatedAt),
      namespaces: new RecentWrites<Namespace>((namespace, known) => namespace.revision < known.revision),
      identity: new RecentWrites<IdentityRow>(() => false),
      grants: new RecentWrites<Grant>(() => false),
    },
    client: DynamoDBDocumentClient.from(client, {
      marshallOptions: { removeUndefinedValues: true },
      unmarshallOptions: { wrapNumbers: false },
    }),
  };
}

/** True when a conditional write lost; the item as it is comes along when ReturnValuesOnConditionCheckFailure asked for it. */
export function isConditionFailure(error: unknown): error is ConditionalCheckFailedException {
  return error instanceof ConditionalCheckFailedException;
}
