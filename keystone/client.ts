import type { Clock } from '../core/clock.ts';
import type { Config } from '../core/config.ts';
import { Unauthenticated } from '../core/errors.ts';
import { EXPIRED_WINDOW_MS, type TokenValidator, type ValidToken } from '../core/identity/repository.ts';
import { bodyOf, type KeystoneConnection } from './connection.ts';
import { remember } from './remember.ts';
import { TokenView, validTokenOf } from './token-view.ts';

/**
 * Validates tokens at an existing Keystone with a service user (`identity.mode: keystone`).
 * A validation is remembered for `token_cache_time` seconds and at most for the token's life: a token that is revoked there is
 * refused here after that time at the latest; 0 asks every time.
 */
export function createKeystoneValidator(
  keystone: KeystoneConnection,
  { token_cache_time }: Pick<Config['identity'], 'token_cache_time'>,
  clock: Clock,
): TokenValidator {
  const lookUp = (path: string) =>
    remember(clock, token_cache_time * 1000, async (subject) =>
      readToken(await keystone.get(path, { 'x-subject-token': subject })),
    );
  const whileItLives = lookUp('/auth/tokens?nocatalog=1');
  const expiredToo = lookUp('/auth/tokens?nocatalog=1&allow_expired=1');

  async function validate(subject: string, options?: { readonly allowExpired?: boolean }): Promise<ValidToken> {
    const allowExpired = options?.allowExpired === true;
    if (!isHeaderText(subject)) throw new Unauthenticated('The token is not valid.');
    const token = await (allowExpired ? expiredToo(subject) : whileItLives(subject));
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
  return validTokenOf(await bodyOf(answer, TokenView, 'a token validation'));
}

/** What cannot stand in a header is no token. */
function isHeaderText(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}
