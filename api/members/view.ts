import type { Member } from '../../core/members/member.ts';
import { wireTime } from '../timestamps.ts';
import type { MemberAnswer } from './answers.ts';

/** A member on the wire (contract: images.md section 15). */
export function memberView(member: Member): MemberAnswer {
  return {
    member_id: member.project,
    image_id: member.imageId,
    status: member.status,
    created_at: wireTime(member.createdAt),
    updated_at: wireTime(member.updatedAt),
    schema: '/v2/schemas/member',
  };
}
