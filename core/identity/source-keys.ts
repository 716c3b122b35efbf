import { createHmac } from 'node:crypto';

/**
 * What seals the secrets of imports (core/tasks/source-secrets.ts): of each signing key one, one way, in their order; nothing more to
 * set, and rotated with them. Only types may be imported here: infra/ takes it as it is.
 */
export function sourceKeysOf(signingKeys: readonly Readonly<Record<string, unknown>>[]): string {
  return signingKeys
    .map(({ d }) => createHmac('sha256', String(d)).update('glimpse sources').digest('base64url'))
    .join(',');
}
