import { describe, expect, it } from 'vitest';
import { Unauthenticated } from '../../../../core/errors.ts';
import { authenticate } from '../../../../core/identity/authenticate.ts';
import type { TokenValidator, ValidToken } from '../../../../core/identity/repository.ts';
import { createPolicy } from '../../../../core/policy/policy.ts';

const domain = { id: 'default', name: 'Default' };
const tokenWith = (different: Partial<ValidToken> = {}): ValidToken => ({
  methods: ['password'],
  user: { id: 'u1', name: 'user', domain },
  project: { id: 'p1', name: 'project', domain },
  domain: null,
  system: null,
  roles: [{ id: 'r1', name: 'Member' }],
  auditIds: ['a1'],
  issuedAtMs: 0,
  expiresAtMs: 1,
  credential: null,
  ...different,
});
const tokens: Record<string, ValidToken> = {
  member: tokenWith(),
  admin: tokenWith({ roles: [{ id: 'r2', name: 'Admin' }] }),
  unscoped: tokenWith({ project: null, roles: [] }),
  system: tokenWith({ project: null, system: 'all' }),
  nova: tokenWith({ user: { id: 'n1', name: 'nova', domain }, roles: [{ id: 'r3', name: 'Service' }] }),
};
const identity: TokenValidator = {
  validate: async (token, options) => {
    if (token === 'expired' && options?.allowExpired === true) return tokenWith();
    const valid = tokens[token];
    if (valid === undefined) throw new Unauthenticated('no');
    return valid;
  },
};
const run = (token: string | undefined, serviceToken?: string, anonymous = false) =>
  authenticate(
    { identity, policy: createPolicy(), config: { allow_anonymous_access: anonymous } },
    { token, serviceToken, requestId: 'req-1' },
  );

describe('authenticate', () => {
  it('gives the facts of the token, roles in lower case', async () => {
    expect(await run('member')).toMatchObject({
      userId: 'u1',
      userName: 'user',
      userDomainId: 'default',
      projectId: 'p1',
      projectDomainId: 'default',
      systemScope: null,
      roles: ['member'],
      serviceRoles: [],
      isAdmin: false,
      requestId: 'req-1',
    });
  });

  it('knows administrators by policy, and tokens without a project', async () => {
    expect((await run('admin')).isAdmin).toBe(true);
    expect(await run('unscoped')).toMatchObject({ projectId: null, roles: [] });
    expect(await run('system')).toMatchObject({ projectId: null, systemScope: 'all' });
  });

  it.each([undefined, '', 'unknown', 'expired'])('refuses the token %j', async (token) => {
    await expect(run(token)).rejects.toThrow(Unauthenticated);
  });

  it('takes an expired token together with the token of a service, and no other', async () => {
    expect(await run('expired', 'nova')).toMatchObject({
      userId: 'u1',
      serviceRoles: ['service'],
      serviceUserId: 'n1',
    });
    await expect(run('expired', 'member')).rejects.toThrow(Unauthenticated);
    await expect(run('member', 'unknown')).rejects.toThrow(Unauthenticated);
  });

  it('lets nobody in as a reader of public data only where that is configured', async () => {
    expect(await run(undefined, undefined, true)).toMatchObject({
      isReadOnly: true,
      projectId: null,
      roles: [],
      isAdmin: false,
    });
    await expect(run('unknown', undefined, true)).rejects.toThrow(Unauthenticated);
  });
});
