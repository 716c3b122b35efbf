import type { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import { type Config, ConfigError } from '../core/config.ts';
import { BackendUnavailable } from '../core/errors.ts';
import { askAt } from './ask.ts';
import { createServiceUser, type ServiceScope } from './service-user.ts';

/** An existing Keystone, asked as the service user (`identity.mode: keystone`). */
export interface KeystoneConnection {
  /** Any answer but a refusal of the service user's own token, which is renewed once. @throws BackendUnavailable */
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

/** @throws ConfigError when `auth_url`, `username` or `password` is missing. */
export function connectKeystone(
  config: Config['identity'],
  clock: Clock,
  scope: ServiceScope = 'project',
): KeystoneConnection {
  const ask = askAt(needed('auth_url', config.auth_url));
  const account = {
    username: needed('username', config.username),
    password: needed('password', config.password),
    projectName: config.project_name,
    userDomainName: config.user_domain_name,
    projectDomainName: config.project_domain_name,
  };
  const service = createServiceUser(ask, clock, account, scope);
  return {
    /** A 401 speaks of our own token: it was revoked, or Keystone lost its keys. One new log-in settles which. */
    async get(path, headers = {}) {
      const send = async () =>
        ask(path, { method: 'GET', headers: { 'x-auth-token': await service.token(), ...headers } });
      const answer = await send();
      if (answer.status !== 401) return answer;
      await answer.body?.cancel();
      service.forget();
      return send();
    },
  };
}

/**
 * The body of a good answer.
 * @param what the question, for messages: "a token validation"
 * @throws BackendUnavailable for another status, a broken body, or one of another shape.
 */
export async function bodyOf<T>(answer: Response, schema: z.ZodType<T>, what: string): Promise<T> {
  // Keystone documents 200; a proxy may answer 203.
  if (!answer.ok) {
    await answer.body?.cancel();
    throw new BackendUnavailable(`The identity service answered ${answer.status} to ${what}.`);
  }
  const body = schema.safeParse(await answer.json().catch(unreadable));
  if (!body.success)
    throw new BackendUnavailable(`The identity service answered something unknown to ${what}.`, { cause: body.error });
  return body.data;
}

function unreadable(error: unknown): never {
  throw new BackendUnavailable('The answer of the identity service broke off.', { cause: error });
}

function needed(key: string, value: string | undefined): string {
  if (value === undefined || value === '') throw new ConfigError(`identity.${key}: not set: needed in mode keystone`);
  return value;
}
