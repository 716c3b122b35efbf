import { z } from 'zod';

/** Body of POST members; what the project may be called, core checks. */
export const MemberCreate = z.object({ member: z.string() });

/** Body of PUT member; which statuses there are is checked after the policy. */
export const MemberUpdate = z.object({ status: z.unknown() });
