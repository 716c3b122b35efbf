/** The image service as a person with OS_* variables or a clouds.yaml reaches it: logs in at Keystone, finds the endpoint, gives a client. */
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { type Client, createClient } from '../../api/client.ts';
import type { Catalog } from '../../api/identity/answers.ts';
import { cacheFolder } from '../cache-folder.ts';
import { UsageError } from '../exit.ts';
import { loginSettings } from './clouds.ts';
import { loginBody, needed, type Settings } from './credentials.ts';
import { forgetLogin, keepLogin, keptLogin, type Login, tokenFile } from './token-cache.ts';

/** Who talks to which service. */
export interface Session {
  readonly client: Client;
  /** The image service without version, no slash at the end. */
  readonly baseUrl: string;
  readonly login: Login;
}

/** @throws UsageError naming the variable that is missing; the service's error kinds; Error when it cannot be reached */
export async function openSession(env: Settings): Promise<Client> {
  return (await openService(env)).client;
}

/**
 * The same, and what is known of the login. A token of an earlier command is used again; one that the service does not take any more is
 * replaced by another login, once per call.
 * @param fresh logs in, whatever is kept
 * @throws as `openSession`
 */
export async function openService(env: Settings, { fresh = false } = {}): Promise<Session> {
  const settings = loginSettings(env);
  trust(settings);
  const file = tokenFile(cacheFolder(env), settings);
  if (fresh) forgetLogin(file);
  let login = (isKept(settings) ? keptLogin(file, Date.now()) : undefined) ?? (await logIn(settings, file));
  let renewal: Promise<Login> | undefined;
  /** All calls that find the token ended share one login. */
  const renewed = async (old: string): Promise<string> => {
    if (login.token !== old) return login.token;
    forgetLogin(file);
    renewal ??= logIn(settings, file).finally(() => {
      renewal = undefined;
    });
    login = await renewal;
    return login.token;
  };
  const baseUrl = withoutVersion(login.endpoint);
  const client = createClient({
    baseUrl,
    token: () => login.token,
    fetch: canLogIn(settings) ? renewing(renewed) : fetch,
  });
  return { client, baseUrl, login };
}

/** Where the kept token of these settings lies. @throws UsageError as `loginSettings` */
export function keptTokenFile(env: Settings): string {
  return tokenFile(cacheFolder(env), loginSettings(env));
}

/** A token that was handed over can be used until it ends; everything else can log in again. */
const canLogIn = (settings: Settings): boolean =>
  Boolean(settings['OS_PASSWORD'] || settings['OS_APPLICATION_CREDENTIAL_SECRET']);
/** What a given token was exchanged for belongs to its bearer, who says nothing else of himself. */
const isKept = (settings: Settings): boolean =>
  !settings['OS_TOKEN'] || Boolean(settings['OS_APPLICATION_CREDENTIAL_SECRET']);

const withoutVersion = (endpoint: string): string => endpoint.replace(/\/+$/, '').replace(/\/v2(?:\.\d+)?$/, '');

/** Sends a call again with another token when the one that it had is not taken any more; what can be read once only is not sent twice. */
function renewing(renewed: (old: string) => Promise<string>): typeof fetch {
  return async (url, init) => {
    const answer = await fetch(url, init);
    const headers = new Headers(init?.headers);
    const old = headers.get('x-auth-token');
    if (answer.status !== 401 || old === null || init?.body instanceof ReadableStream) return answer;
    await answer.body?.cancel();
    headers.set('x-auth-token', await renewed(old));
    return fetch(url, { ...init, headers });
  };
}

async function logIn(settings: Settings, file: string): Promise<Login> {
  const given = settings['OS_IMAGE_ENDPOINT_OVERRIDE'] ?? settings['OS_ENDPOINT'];
  if (settings['OS_TOKEN'] && given) {
    return { token: settings['OS_TOKEN'], endpoint: given, expiresAt: '', user: '', project: '' };
  }
  const identityUrl = needed(settings, 'OS_AUTH_URL').replace(/\/+$/, '').replace(/\/v3$/, '');
  const identity = createClient({ baseUrl: identityUrl, identityUrl });
  const { value, headers } = await identity.createToken({ body: { auth: loginBody(settings) } });
  const { catalog, expires_at, user, project } = value.token;
  const login = {
    token: headers['x-subject-token'],
    endpoint: given ?? imageEndpoint(catalog, settings),
    expiresAt: expires_at,
    user: user.name,
    project: project?.name ?? '',
  };
  if (isKept(settings)) keepLogin(file, login);
  return login;
}

function imageEndpoint(catalog: Catalog | undefined, settings: Settings): string {
  const wanted = (settings['OS_INTERFACE'] || 'public').replace(/URL$/, '');
  const region = settings['OS_REGION_NAME'];
  const endpoint = catalog
    ?.find(({ type }) => type === 'image')
    ?.endpoints.find((each) => each.interface === wanted && (!region || each.region === region));
  if (endpoint === undefined) throw new UsageError(`the catalog has no ${wanted} endpoint of the image service`);
  return endpoint.url;
}

/** Certificates of one's own (`OS_CACERT`), or none at all (`OS_INSECURE`, `verify: false`), as other clients take them. */
function trust(settings: Settings): void {
  const file = settings['OS_CACERT'];
  if (file) setDefaultCACertificates([...getCACertificates('default'), readFileSync(file, 'utf8')]);
  if (/^(?:1|true|yes)$/iu.test(settings['OS_INSECURE'] ?? '')) process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
}
