import type { Handlers } from '../../../api/handlers.ts';
import { memberView } from '../../../api/members/view.ts';
import type { Deps } from '../../../core/deps.ts';
import { addMember, answerMembership, listMembers, removeMember, showMember } from '../../../core/images/members.ts';

type MemberOperation = 'addMember' | 'listMembers' | 'showMember' | 'updateMember' | 'deleteMember';

export function memberOperations(deps: Deps): Handlers<MemberOperation> {
  return {
    addMember: async ({ params, body, caller }) => memberView(await addMember(deps, caller, params.id, body().member)),
    listMembers: async ({ params, caller }) => {
      const members = await listMembers(deps, caller, params.id);
      return { members: members.map(memberView), schema: '/v2/schemas/members' };
    },
    showMember: async ({ params, caller }) => memberView(await showMember(deps, caller, params.id, params.member)),
    updateMember: async ({ params, body, caller }) =>
      memberView(await answerMembership(deps, caller, params.id, params.member, body().status)),
    deleteMember: ({ params, caller }) => removeMember(deps, caller, params.id, params.member),
  };
}
