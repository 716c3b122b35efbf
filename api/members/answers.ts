/** Members on the wire (contract: images.md section 15). */
import { z } from 'zod';
import { MEMBER_STATUSES } from '../../core/members/member.ts';

export const MemberAnswer = z.object({
  member_id: z.string(),
  image_id: z.string(),
  status: z.enum(MEMBER_STATUSES),
  created_at: z.string(),
  updated_at: z.string(),
  schema: z.string(),
});
export type MemberAnswer = z.infer<typeof MemberAnswer>;

export const MembersAnswer = z.object({ members: z.array(MemberAnswer).readonly(), schema: z.string() });
