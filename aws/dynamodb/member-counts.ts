import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { StaleRevision } from '../../core/errors.ts';
import { type Member, tooManyMembers } from '../../core/members/member.ts';
import { memberCountKey } from './keys.ts';
import { isConditionFailure, type Table } from './table.ts';
import { type ConditionalWrite, transact } from './transact.ts';

class NotCounted extends StaleRevision {}

/**
 * How many members an image has: a small item beside them that changes in one transaction with each, so that it is exact for all
 * processes. No member comes or goes while there is no count, so that it can be made from the members themselves.
 */
export function createMemberCounts(table: Table, list: (imageId: string) => Promise<Member[]>) {
  async function read(imageId: string): Promise<{ readonly members: number } | undefined> {
    const { Item } = await table.client.send(
      new GetCommand({ TableName: table.name, Key: memberCountKey(imageId), ConsistentRead: true }),
    );
    return Item as { readonly members: number } | undefined;
  }

  /** Members that an earlier version wrote are counted once. */
  async function countAnew(imageId: string): Promise<void> {
    const { length } = await list(imageId);
    try {
      await table.client.send(
        new UpdateCommand({
          TableName: table.name,
          Key: memberCountKey(imageId),
          UpdateExpression: 'SET members = :members',
          ConditionExpression: 'attribute_not_exists(members)',
          ExpressionAttributeValues: { ':members': length },
        }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error; // somebody else did
    }
  }

  function counting(imageId: string, difference: 1 | -1, upTo: number | undefined): ConditionalWrite {
    const limited = upTo !== undefined && difference > 0;
    return {
      item: {
        Update: {
          TableName: table.name,
          Key: memberCountKey(imageId),
          UpdateExpression: 'ADD members :difference',
          ConditionExpression: `attribute_exists(members)${limited ? ' AND members < :limit' : ''}`,
          ExpressionAttributeValues: { ':difference': difference, ...(limited && { ':limit': upTo }) },
        },
      },
      async refused(cause) {
        const known = await read(imageId);
        if (known !== undefined && upTo !== undefined && known.members >= upTo)
          return tooManyMembers(known.members + 1, upTo);
        return known === undefined
          ? new NotCounted(`The members of image ${imageId} are not counted`, { cause })
          : new StaleRevision(`The members of image ${imageId} are being changed`, { cause });
      },
    };
  }

  return {
    /** Makes a write of one member, and counts it. @throws what `write` refuses with; LimitExceeded, StaleRevision */
    async with(write: ConditionalWrite, imageId: string, difference: 1 | -1, upTo?: number): Promise<void> {
      const writes = [write, counting(imageId, difference, upTo)];
      try {
        await transact(table, writes);
      } catch (error) {
        if (!(error instanceof NotCounted)) throw error;
        await countAnew(imageId);
        await transact(table, writes);
      }
    },
  };
}
