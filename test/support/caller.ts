import type { Caller } from '../../core/identity/caller.ts';

/** A member of project `p1`; tests name what differs. */
export function callerWith(different: Partial<Caller> = {}): Caller {
  return {
    userId: 'u1',
    userName: 'user',
    userDomainId: 'default',
    projectId: 'p1',
    projectName: 'project',
    projectDomainId: 'default',
    domainId: null,
    systemScope: null,
    roles: ['member', 'reader'],
    serviceRoles: [],
    serviceUserId: null,
    serviceProjectId: null,
    isAdmin: false,
    requestId: 'req-1',
    ...different,
  };
}
