import { HeaderTooLarge } from '../core/errors.ts';

/**
 * The id of a request: the one the client sent, with `req-` in front, else a new one (contract: README.md "Common headers").
 * Characters that cannot stand in a header or a log line are dropped.
 * @throws HeaderTooLarge when the header is longer than `maxLength` characters.
 */
export function requestIdOf(sent: string | undefined, maxLength: number, newId: () => string): string {
  if (sent === undefined || sent === '') return `req-${newId()}`;
  if (sent.length > maxLength)
    throw new HeaderTooLarge(`X-Openstack-Request-Id has ${sent.length} characters, at most ${maxLength} are taken`);
  const clean = sent.replace(/[^\x21-\x7e]/g, '');
  return clean.startsWith('req-') ? clean : `req-${clean}`;
}
