import { z } from 'zod';
import type { MemberStatus } from '../../core/members/member.ts';

/** Body of POST members; what the project may be called, core checks. */
export const MemberCreate = z.object({ member: z.string() });

/** Body of PUT member. A client names a status that there is; what else it names is refused after the policy, so it is unknown here. */
export const MemberUpdate = z.object({ status: z.custom<MemberStatus>().transform((status): unknown => status) });
