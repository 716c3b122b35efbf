/** The image service as a person with OS_* variables reaches it: logs in at Keystone, finds the endpoint, gives a client. */
import type { z } from 'zod';
import { type Client, createClient } from '../api/client.ts';
import type { Catalog } from '../api/identity/answers.ts';
import type { TokenBody } from '../api/identity/token-request.ts';
import { UsageError } from './exit.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Login = z.input<typeof TokenBody>['auth'];

/** @throws UsageError naming the variable that is missing; the service's error kinds; Error when it cannot be reached */
export async function openSession(env: Environment): Promise<Client> {
  const { token, endpoint } = await logIn(env);
  const baseUrl = endpoint.replace(/\/+$/, '').replace(/\/v2(?:\.\d+)?$/, '');
  return createClient({ baseUrl, token: () => token });
}

async function logIn(env: Environment): Promise<{ token: string; endpoint: string }> {
  const given = env['OS_IMAGE_ENDPOINT_OVERRIDE'] ?? env['OS_ENDPOINT'];
  if (env['OS_TOKEN'] && given) return { token: env['OS_TOKEN'], endpoint: given };
  const identityUrl = needed(env, 'OS_AUTH_URL').replace(/\/+$/, '').replace(/\/v3$/, '');
  const identity = createClient({ baseUrl: identityUrl, identityUrl });
  const { value, headers } = await identity.createToken({
    body: { auth: { identity: identityOf(env), ...scopeOf(env) } },
  });
  return { token: headers['x-subject-token'], endpoint: given ?? imageEndpoint(value.token.catalog, env) };
}

function imageEndpoint(catalog: Catalog | undefined, env: Environment): string {
  const wanted = (env['OS_INTERFACE'] || 'public').replace(/URL$/, '');
  const region = env['OS_REGION_NAME'];
  const endpoint = catalog
    ?.find(({ type }) => type === 'image')
    ?.endpoints.find((each) => each.interface === wanted && (!region || each.region === region));
  if (endpoint === undefined) throw new UsageError(`the catalog has no ${wanted} endpoint of the image service`);
  return endpoint.url;
}

function needed(env: Environment, name: string): string {
  const value = env[name];
  if (!value) throw new UsageError(`${name} is not set: source an openrc file first`);
  return value;
}

function domainOf(env: Environment, kind: 'USER' | 'PROJECT'): { id: string } | { name: string } {
  const id = env[`OS_${kind}_DOMAIN_ID`];
  return id ? { id } : { name: env[`OS_${kind}_DOMAIN_NAME`] || 'Default' };
}

function userOf(env: Environment) {
  const id = env['OS_USER_ID'];
  return id ? { id } : { name: needed(env, 'OS_USERNAME'), domain: domainOf(env, 'USER') };
}

function identityOf(env: Environment): Login['identity'] {
  const secret = env['OS_APPLICATION_CREDENTIAL_SECRET'];
  if (secret) {
    const id = env['OS_APPLICATION_CREDENTIAL_ID'];
    const which = id ? { id } : { name: needed(env, 'OS_APPLICATION_CREDENTIAL_NAME'), user: userOf(env) };
    return { methods: ['application_credential'], application_credential: { ...which, secret } };
  }
  if (env['OS_TOKEN']) return { methods: ['token'], token: { id: env['OS_TOKEN'] } };
  return {
    methods: ['password'],
    password: { user: { ...userOf(env), password: needed(env, 'OS_PASSWORD') } },
  };
}

/** Application credentials carry their scope. */
function scopeOf(env: Environment): Pick<Login, 'scope'> {
  if (env['OS_APPLICATION_CREDENTIAL_SECRET']) return {};
  const id = env['OS_PROJECT_ID'];
  const project = id ? { id } : { name: needed(env, 'OS_PROJECT_NAME'), domain: domainOf(env, 'PROJECT') };
  return { scope: { project } };
}
