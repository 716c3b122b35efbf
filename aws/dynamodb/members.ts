import { DeleteCommand, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Conflict, NotFound } from '../../core/errors.ts';
import type { Member, MemberStatus } from '../../core/members/member.ts';
import type { MemberRepository } from '../../core/members/repository.ts';
import { Expression } from './expression.ts';
import { byCreated, imageKey, type Key, memberCountKey, memberKey, memberPartition } from './keys.ts';
import { createMemberCounts } from './member-counts.ts';
import { queryAll } from './query-all.ts';
import { isConditionFailure, type Table } from './table.ts';

/** A membership among the recent writes. */
export const recentMemberKey = (imageId: string, project: string): string => `${imageId}#${project}`;

/** The MemberRepository of core/members/repository.ts: members lie beside their image, and in their project's index. */
export function createMemberRepository(table: Table): MemberRepository {
  const beside = (imageId: string, prefix: string) =>
    queryAll(table, {
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': imageKey(imageId).pk, ':prefix': prefix },
      ConsistentRead: true,
    });

  async function list(imageId: string): Promise<Member[]> {
    const members: Member[] = [];
    for await (const item of beside(imageId, memberKey(imageId, '').sk)) members.push(memberOf(item));
    return members;
  }

  const counts = createMemberCounts(table, list);

  return {
    list,

    async create(member, upTo) {
      const { imageId, project } = member;
      const refused = (cause: unknown) =>
        new Conflict(`Image member ${project} already exists for image ${imageId}`, { cause });
      const item = {
        Put: { TableName: table.name, Item: itemOf(member), ConditionExpression: 'attribute_not_exists(pk)' },
      };
      await counts.with({ item, refused }, imageId, 1, upTo);
      table.recent.members.note(recentMemberKey(imageId, project), member);
    },

    async get(imageId, project) {
      if (project === '') return undefined;
      const answer = await table.client.send(
        new GetCommand({ TableName: table.name, Key: memberKey(imageId, project), ConsistentRead: true }),
      );
      return answer.Item === undefined ? undefined : memberOf(answer.Item);
    },

    async setStatus(imageId, project, status, updatedAt) {
      const expression = new Expression();
      expression.require(`attribute_exists(${expression.path('pk')})`);
      expression.set(expression.path('status'), expression.value(status));
      expression.set(expression.path('updated_at'), expression.value(updatedAt));
      expression.set(expression.path('gsi1pk'), expression.value(memberPartition(project, status)));
      try {
        const answer = await table.client.send(
          new UpdateCommand({
            TableName: table.name,
            Key: memberKey(imageId, project),
            UpdateExpression: expression.update,
            ConditionExpression: expression.condition,
            ...expression.placeholders,
            ReturnValues: 'ALL_NEW',
          }),
        );
        const member = memberOf(answer.Attributes ?? {});
        table.recent.members.note(recentMemberKey(imageId, project), member);
        return member;
      } catch (error) {
        if (!isConditionFailure(error)) throw error;
        throw noSuchMember(imageId, project, error);
      }
    },

    async delete(imageId, project) {
      const key = memberKey(imageId, project);
      const item = { Delete: { TableName: table.name, Key: key, ConditionExpression: 'attribute_exists(pk)' } };
      await counts.with({ item, refused: (cause) => noSuchMember(imageId, project, cause) }, imageId, -1);
      table.recent.members.note(recentMemberKey(imageId, project), undefined);
    },

    async deleteAll(imageId) {
      // Their count as well, which sorts beside them.
      for await (const item of beside(imageId, memberCountKey(imageId).sk.slice(0, -1))) {
        const { pk, sk, member_id: project } = item as unknown as Key & { readonly member_id?: string };
        await table.client.send(new DeleteCommand({ TableName: table.name, Key: { pk, sk } }));
        if (project !== undefined) table.recent.members.note(recentMemberKey(imageId, project), undefined);
      }
    },
  };
}

function noSuchMember(imageId: string, project: string, cause?: unknown): NotFound {
  return new NotFound(`${project} is no member of image ${imageId}`, { cause });
}

function itemOf(member: Member): Record<string, unknown> {
  return {
    ...memberKey(member.imageId, member.project),
    image_id: member.imageId,
    member_id: member.project,
    status: member.status,
    image_created_at: member.imageCreatedAt,
    created_at: member.createdAt,
    updated_at: member.updatedAt,
    gsi1pk: memberPartition(member.project, member.status),
    gsi1sk: byCreated(member.imageCreatedAt, member.imageId),
  };
}

function memberOf(item: Readonly<Record<string, unknown>>): Member {
  return {
    imageId: item['image_id'] as string,
    project: item['member_id'] as string,
    status: item['status'] as MemberStatus,
    imageCreatedAt: item['image_created_at'] as string,
    createdAt: item['created_at'] as string,
    updatedAt: item['updated_at'] as string,
  };
}
