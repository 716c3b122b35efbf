/** OS_* variables as the body of a login at Keystone. */
import type { z } from 'zod';
import type { TokenBody } from '../../api/identity/token-request.ts';
import { UsageError } from '../exit.ts';

export type Settings = Readonly<Record<string, string | undefined>>;
type Body = z.input<typeof TokenBody>['auth'];

/** @throws UsageError naming the variable that is missing */
export function loginBody(settings: Settings): Body {
  return { identity: identityOf(settings), ...scopeOf(settings) };
}

/** @throws UsageError when the variable is missing */
export function needed(settings: Settings, name: string): string {
  const value = settings[name];
  if (!value)
    throw new UsageError(`${name} is not set: source an openrc file, or name a cloud of clouds.yaml in OS_CLOUD`);
  return value;
}

function domainOf(settings: Settings, kind: 'USER' | 'PROJECT'): { id: string } | { name: string } {
  const id = settings[`OS_${kind}_DOMAIN_ID`] || settings['OS_DOMAIN_ID'];
  return id ? { id } : { name: settings[`OS_${kind}_DOMAIN_NAME`] || settings['OS_DOMAIN_NAME'] || 'Default' };
}

function userOf(settings: Settings) {
  const id = settings['OS_USER_ID'];
  return id ? { id } : { name: needed(settings, 'OS_USERNAME'), domain: domainOf(settings, 'USER') };
}

function identityOf(settings: Settings): Body['identity'] {
  const secret = settings['OS_APPLICATION_CREDENTIAL_SECRET'];
  if (secret) {
    const id = settings['OS_APPLICATION_CREDENTIAL_ID'];
    const which = id ? { id } : { name: needed(settings, 'OS_APPLICATION_CREDENTIAL_NAME'), user: userOf(settings) };
    return { methods: ['application_credential'], application_credential: { ...which, secret } };
  }
  if (settings['OS_TOKEN']) return { methods: ['token'], token: { id: settings['OS_TOKEN'] } };
  return {
    methods: ['password'],
    password: { user: { ...userOf(settings), password: needed(settings, 'OS_PASSWORD') } },
  };
}

/** Application credentials carry their scope. */
function scopeOf(settings: Settings): Pick<Body, 'scope'> {
  if (settings['OS_APPLICATION_CREDENTIAL_SECRET']) return {};
  const id = settings['OS_PROJECT_ID'];
  const project = id ? { id } : { name: needed(settings, 'OS_PROJECT_NAME'), domain: domainOf(settings, 'PROJECT') };
  return { scope: { project } };
}
