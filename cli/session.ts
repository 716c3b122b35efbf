/** The image service as a person with OS_* variables reaches it: logs in at Keystone, finds the endpoint, speaks JSON. */
import { UsageError } from './exit.ts';

export interface Session {
  /**
   * @param path from `/v2` on, encoded
   * @throws ApiError for every answer that is no success
   */
  request<T = unknown>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T>;
}

/** An answer that is no success; `message` is what the service said, in one line. */
export class ApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws UsageError naming the variable that is missing; ApiError, Error when the service cannot be reached or refuses */
export async function openSession(env: Environment): Promise<Session> {
  const { token, endpoint } = await logIn(env);
  const base = endpoint.replace(/\/+$/, '').replace(/\/v2(?:\.\d+)?$/, '');
  return {
    async request<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
      const response = await fetch(base + path, {
        method,
        headers: { 'x-auth-token': token, accept: 'application/json', ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new ApiError(response.status, `${method} ${path}: ${response.status}: ${saidIn(text)}`);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
  };
}

function saidIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string } };
    if (error?.message !== undefined) return error.message;
  } catch {
    // not JSON: shown as it is
  }
  return text.replaceAll(/<[^>]*>|\s+/g, ' ').trim();
}

async function logIn(env: Environment): Promise<{ token: string; endpoint: string }> {
  const given = env['OS_IMAGE_ENDPOINT_OVERRIDE'] ?? env['OS_ENDPOINT'];
  if (env['OS_TOKEN'] && given) return { token: env['OS_TOKEN'], endpoint: given };
  const authUrl = needed(env, 'OS_AUTH_URL').replace(/\/+$/, '');
  const url = `${/\/v3$/.test(authUrl) ? authUrl : `${authUrl}/v3`}/auth/tokens`;
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ auth: { identity: identityOf(env), ...scopeOf(env) } }),
  });
  const text = await response.text();
  const token = response.headers.get('x-subject-token');
  if (!response.ok || token === null)
    throw new ApiError(response.status, `${url}: ${response.status}: ${saidIn(text)}`);
  return { token, endpoint: given ?? imageEndpoint(JSON.parse(text) as TokenBody, env) };
}

interface TokenBody {
  readonly token: {
    readonly catalog?: readonly {
      readonly type: string;
      readonly endpoints: readonly { readonly interface: string; readonly region: string; readonly url: string }[];
    }[];
  };
}

function imageEndpoint({ token }: TokenBody, env: Environment): string {
  const wanted = (env['OS_INTERFACE'] || 'public').replace(/URL$/, '');
  const region = env['OS_REGION_NAME'];
  const endpoint = token.catalog
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

function domainOf(env: Environment, kind: 'USER' | 'PROJECT'): object {
  const id = env[`OS_${kind}_DOMAIN_ID`];
  return id ? { id } : { name: env[`OS_${kind}_DOMAIN_NAME`] || 'Default' };
}

function userOf(env: Environment): object {
  const id = env['OS_USER_ID'];
  return id ? { id } : { name: needed(env, 'OS_USERNAME'), domain: domainOf(env, 'USER') };
}

function identityOf(env: Environment): object {
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
function scopeOf(env: Environment): object {
  if (env['OS_APPLICATION_CREDENTIAL_SECRET']) return {};
  const id = env['OS_PROJECT_ID'];
  const project = id ? { id } : { name: needed(env, 'OS_PROJECT_NAME'), domain: domainOf(env, 'PROJECT') };
  return { scope: { project } };
}
