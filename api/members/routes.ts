import { at, type Route } from '../route.ts';
import { MemberAnswer, MembersAnswer } from './answers.ts';
import { MemberCreate, MemberUpdate } from './schemas.ts';

const route = at('images', 'token');

/** With whom an image is shared (contract: images.md section 15). */
export const MEMBER_ROUTES = {
  listMembers: route('GET', '/v2/images/{id}/members', 200, { body: 'refused', answer: MembersAnswer }),
  addMember: route('POST', '/v2/images/{id}/members', 200, { body: MemberCreate, answer: MemberAnswer }),
  showMember: route('GET', '/v2/images/{id}/members/{member}', 200, { body: 'refused', answer: MemberAnswer }),
  updateMember: route('PUT', '/v2/images/{id}/members/{member}', 200, { body: MemberUpdate, answer: MemberAnswer }),
  deleteMember: route('DELETE', '/v2/images/{id}/members/{member}', 204, { body: 'refused' }),
} as const satisfies Record<string, Route>;
