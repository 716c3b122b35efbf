import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import { BackendUnavailable } from '../core/errors.ts';
import type { AskKeystone } from './ask.ts';

/** What its token is for: its project, or the system, which limits of other projects are asked with. */
export type ServiceScope = 'project' | 'system';

/** The user that this service is at Keystone. */
export interface ServiceAccount {
  readonly username: string;
  readonly password: string;
  readonly projectName: string;
  readonly userDomainName: string;
  readonly projectDomainName: string;
}

export interface ServiceUser {
  /** A token of the service user, the same for all until shortly before its end. @throws BackendUnavailable */
  token(): Promise<string>;
  /** The token did not hold: the next call logs in again. */
  forget(): void;
}

/** A new token is fetched this long before the end of the old one, so that none ends under way. */
const MARGIN_MS = 60_000;

const Issued = z.object({ token: z.object({ expires_at: z.iso.datetime({ offset: true }) }) });

export function createServiceUser(
  ask: AskKeystone,
  clock: Clock,
  account: ServiceAccount,
  scope: ServiceScope,
): ServiceUser {
  let current: { readonly id: Promise<string>; untilMs: number } | undefined;

  async function logIn(): Promise<{ id: string; untilMs: number }> {
    const answer = await ask('/auth/tokens?nocatalog=1', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(loginBody(account, scope)),
    });
    const id = answer.headers.get('x-subject-token');
    const body = Issued.safeParse(await answer.json().catch(() => undefined));
    if (answer.status !== 201 || id === null || !body.success)
      throw new BackendUnavailable(
        `The identity service refused the service user ${account.username} with scope ${scope} (status ${answer.status}).`,
      );
    return { id, untilMs: Date.parse(body.data.token.expires_at) - MARGIN_MS };
  }

  function renew(): Promise<string> {
    const login = logIn();
    const mine = { id: login.then(({ id }) => id), untilMs: Number.POSITIVE_INFINITY };
    current = mine;
    login.then(
      ({ untilMs }) => {
        mine.untilMs = untilMs;
      },
      () => {
        if (current === mine) current = undefined;
      },
    );
    return mine.id;
  }

  return {
    token: () => (current !== undefined && clock.now() < current.untilMs ? current.id : renew()),
    forget: () => {
      current = undefined;
    },
  };
}

function loginBody(account: ServiceAccount, scope: ServiceScope) {
  const { username, password, projectName, userDomainName, projectDomainName } = account;
  return {
    auth: {
      identity: {
        methods: ['password'],
        password: { user: { name: username, domain: { name: userDomainName }, password } },
      },
      scope:
        scope === 'system'
          ? { system: { all: true } }
          : { project: { name: projectName, domain: { name: projectDomainName } } },
    },
  };
}
