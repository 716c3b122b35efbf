import { GetCommand, PutCommand, UpdateCommand, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { Conflict } from '../../core/errors.ts';
import type { UploadSessionRepository } from '../../core/uploads/repository.ts';
import type { UploadSession } from '../../core/uploads/session.ts';
import { uploadSessionKey } from './keys.ts';
import { queryAll } from './query-all.ts';
import { isConditionFailure, type Table } from './table.ts';

/** For so long what became of a session can be read. Seconds. */
const KEPT_SECONDS = 7 * 24 * 3600;

const ttlOf = (expiresAtMs: number): number => Math.ceil(expiresAtMs / 1000) + KEPT_SECONDS;

/** The UploadSessionRepository of core/uploads/repository.ts: records lie beside their image and are found by key, never by an index. */
export function createUploadSessions(table: Table): UploadSessionRepository {
  async function get(imageId: string, id: string): Promise<UploadSession | undefined> {
    const { Item } = await table.client.send(
      new GetCommand({ TableName: table.name, Key: uploadSessionKey(imageId, id), ConsistentRead: true }),
    );
    return Item === undefined ? undefined : sessionOf(Item);
  }

  /** Undefined when the session is not open. */
  async function changeOpen(
    imageId: string,
    id: string,
    change: Pick<UpdateCommandInput, 'UpdateExpression' | 'ExpressionAttributeNames'> & {
      readonly values: Record<string, unknown>;
    },
  ): Promise<UploadSession | undefined> {
    const { values, ExpressionAttributeNames: names, ...rest } = change;
    try {
      const { Attributes } = await table.client.send(
        new UpdateCommand({
          TableName: table.name,
          Key: uploadSessionKey(imageId, id),
          ConditionExpression: '#state = :open',
          ExpressionAttributeNames: { '#state': 'state', ...names },
          ExpressionAttributeValues: { ':open': 'open', ...values },
          ReturnValues: 'ALL_NEW',
          ...rest,
        }),
      );
      return sessionOf(Attributes ?? {});
    } catch (error) {
      if (isConditionFailure(error)) return undefined;
      throw error;
    }
  }

  return {
    get,

    async create(session) {
      const item = {
        ...{ ...uploadSessionKey(session.imageId, session.id), ttl: ttlOf(session.expiresAtMs) },
        ...{ image_id: session.imageId, id: session.id, project_id: session.projectId, state: session.state },
        ...{ size: session.size, part_size: session.partSize, multipart_id: session.multipartId },
        ...{ created_at: session.createdAt, expires_at_ms: session.expiresAtMs },
      };
      try {
        await table.client.send(
          new PutCommand({ TableName: table.name, Item: item, ConditionExpression: 'attribute_not_exists(pk)' }),
        );
      } catch (error) {
        // A repeated request of the SDK meets its own first one.
        if (!isConditionFailure(error)) throw error;
        const known = await get(session.imageId, session.id);
        if (known?.multipartId !== session.multipartId)
          throw new Conflict(`Upload ${session.id} exists already`, { cause: error });
      }
    },

    async list(imageId) {
      const { pk, sk } = uploadSessionKey(imageId, '');
      const items = queryAll(table, {
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: { ':pk': pk, ':prefix': sk },
        ConsistentRead: true,
      });
      const sessions: UploadSession[] = [];
      for await (const item of items) sessions.push(sessionOf(item));
      return sessions.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0));
    },

    async postpone(imageId, id, expiresAtMs) {
      const changed = await changeOpen(imageId, id, {
        UpdateExpression: 'SET expires_at_ms = :until, #ttl = :ttl',
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        values: { ':until': expiresAtMs, ':ttl': ttlOf(expiresAtMs) },
      });
      return changed !== undefined;
    },

    async end(imageId, id, state) {
      const ended = await changeOpen(imageId, id, {
        UpdateExpression: 'SET #state = :ended',
        values: { ':ended': state },
      });
      return ended ?? get(imageId, id);
    },
  };
}

function sessionOf(item: Readonly<Record<string, unknown>>): UploadSession {
  return {
    id: item['id'] as string,
    imageId: item['image_id'] as string,
    projectId: item['project_id'] as string | null,
    state: item['state'] as UploadSession['state'],
    size: item['size'] as number,
    partSize: item['part_size'] as number,
    multipartId: item['multipart_id'] as string,
    createdAt: item['created_at'] as string,
    expiresAtMs: item['expires_at_ms'] as number,
  };
}
