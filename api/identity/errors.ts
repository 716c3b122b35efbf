import { MethodNotAllowed } from '../../core/errors.ts';
import { type ErrorAnswer, REASONS, retryHeader, statusOf } from '../errors.ts';

const INTERNAL = 'An unexpected error prevented the server from fulfilling your request.';

/**
 * An error in Keystone's form, which is JSON whatever Accept says (contract: identity.md section 6).
 * @param baseUrl of the identity service, for the challenge of a 401.
 */
export function keystoneError(error: unknown, baseUrl: string): ErrorAnswer {
  const statusCode = statusOf(error);
  const message = statusCode !== 500 && error instanceof Error ? error.message : INTERNAL;
  const title = REASONS[statusCode] ?? 'Error';
  return {
    statusCode,
    headers: {
      'content-type': 'application/json',
      ...(statusCode === 401 ? { 'www-authenticate': `Keystone uri="${baseUrl}"` } : {}),
      ...(error instanceof MethodNotAllowed ? { allow: error.allow.join(', ') } : {}),
      ...retryHeader(error),
    },
    body: JSON.stringify({ error: { code: statusCode, message, title } }),
  };
}
