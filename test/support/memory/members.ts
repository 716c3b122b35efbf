import { Conflict, NotFound } from '../../../core/errors.ts';
import { type Member, tooManyMembers } from '../../../core/members/member.ts';
import type { MemberRepository } from '../../../core/members/repository.ts';
import { byText, type Records } from './records.ts';

/** Memberships by image and project, for the repository and the listing. */
export type MemberRecords = Records<Member>;

const keyOf = (imageId: string, project: string): string => `${imageId} ${project}`;

export function memoryMembers(records: MemberRecords): MemberRepository {
  const of = (imageId: string) =>
    records
      .values()
      .filter((member) => member.imageId === imageId)
      .toSorted((a, b) => byText(a.project, b.project));
  const noSuchMember = (imageId: string, project: string) =>
    new NotFound(`${project} is no member of image ${imageId}`);

  return {
    async create(member, upTo) {
      const key = keyOf(member.imageId, member.project);
      if (records.has(key))
        throw new Conflict(`Image member ${member.project} already exists for image ${member.imageId}`);
      const known = of(member.imageId).length;
      if (upTo !== undefined && known >= upTo) throw tooManyMembers(known + 1, upTo);
      records.set(key, member);
    },

    get: async (imageId, project) => records.get(keyOf(imageId, project)),
    list: async (imageId) => of(imageId),

    async setStatus(imageId, project, status, updatedAt) {
      const member = records.get(keyOf(imageId, project));
      if (member === undefined) throw noSuchMember(imageId, project);
      const after = { ...member, status, updatedAt };
      records.set(keyOf(imageId, project), after);
      return after;
    },

    async delete(imageId, project) {
      if (!records.delete(keyOf(imageId, project))) throw noSuchMember(imageId, project);
    },

    async deleteAll(imageId) {
      for (const { project } of of(imageId)) records.delete(keyOf(imageId, project));
    },
  };
}
