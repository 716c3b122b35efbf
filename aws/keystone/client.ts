import type { Config } from '../../core/config.ts';
import { ConfigError } from '../../core/config.ts';
import { BackendUnavailable, Unauthenticated } from '../../core/errors.ts';
import { BoundedCache } from '../../core/identity/bounded-cache.ts';
import { EXPIRED_WINDOW_MS, type TokenValidator, type ValidToken } from '../../core/identity/ports.ts';
import type { Clock } from '../../core/ports.ts';
import { askAt } from './ask.ts';
import { createServiceUser } from './service-user.ts';
import { TokenView, validTokenOf } from './token-view.ts';

const CACHED_TOKENS = 10_000;
/**
 * Validates tokens at an existing Keystone with a service user (`identity.mode: keystone`).
 * A validation is remembered for `token_cache_time` seconds and at most for the token's life: a token that is revoked there is
 * refused here after that time at the latest; 0 asks every time.
 * @throws ConfigError when `auth_url`, `username` or `password` is missing.
 */
export function createKeystoneValidator(config: Config['identity'], clock: Clock): TokenValidator {
  const ask = askAt(needed('auth_url', config.auth_url));
  const service = createServiceUser(ask, clock, {
    username: needed('username', config.username),
    password: needed('password', config.password),
    projectName: config.project_name,
    userDomainName: config.user_domain_name,
    projectDomainName: config.project_domain_name,
  });
  const rememberMs = config.token_cache_time * 1000;
  const cache = new BoundedCache<string, { readonly untilMs: number; readonly token: Promise<ValidToken> }>(
    CACHED_TOKENS,
  );

  /** A 401 speaks of our own token: it was revoked, or Keystone lost its keys. One new log-in settles which. */
  async function lookUp(subject: string, allowExpired: boolean): Promise<ValidToken> {
    const path = `/auth/tokens?nocatalog=1${allowExpired ? '&allow_expired=1' : ''}`;
    const send = async () =>
      ask(path, { method: 'GET', headers: { 'x-auth-token': await service.token(), 'x-subject-token': subject } });
    let answer = await send();
    if (answer.status === 401) {
      await answer.body?.cancel();
      service.forget();
      answer = await send();
    }
    return readToken(answer);
  }

  async function validate(subject: string, options?: { readonly allowExpired?: boolean }): Promise<ValidToken> {
    const allowExpired = options?.allowExpired === true;
    if (!isHeaderText(subject)) throw new Unauthenticated('The token is not valid.');
    const key = `${allowExpired} ${subject}`;
    const known = cache.get(key);
    const now = clock.now();
    const asked = known !== undefined && now < known.untilMs ? known.token : lookUp(subject, allowExpired);
    if (asked !== known?.token && rememberMs > 0) {
      cache.set(key, { untilMs: now + rememberMs, token: asked });
      asked.catch(() => cache.delete(key));
    }
    const token = await asked;
    const graceMs = allowExpired ? EXPIRED_WINDOW_MS : 0;
    if (clock.now() >= token.expiresAtMs + graceMs) throw new Unauthenticated('The token has expired.');
    return token;
  }

  return { validate };
}

/** @throws Unauthenticated for a token that does not hold; BackendUnavailable for any other trouble. */
async function readToken(answer: Response): Promise<ValidToken> {
  if (answer.status === 404) {
    await answer.body?.cancel();
    throw new Unauthenticated('The token is not valid.');
  }
  // Keystone documents 200; a proxy may answer 203.
  if (!answer.ok) {
    await answer.body?.cancel();
    throw new BackendUnavailable(`The identity service answered ${answer.status} to a token validation.`);
  }
  const view = TokenView.safeParse(await answer.json().catch(unreadable));
  if (!view.success)
    throw new BackendUnavailable('The identity service answered something that is no token.', { cause: view.error });
  return validTokenOf(view.data);
}

function unreadable(error: unknown): never {
  throw new BackendUnavailable('The answer of the identity service broke off.', { cause: error });
}

/** What cannot stand in a header is no token. */
function isHeaderText(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

function needed(key: string, value: string | undefined): string {
  if (value === undefined || value === '') throw new ConfigError(`identity.${key}: not set: needed in mode keystone`);
  return value;
}
