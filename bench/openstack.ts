/** What every benchmark of an image service needs: a token and the endpoint, from OS_* as the clients read them. */
import { execFileSync } from 'node:child_process';
import { printVersions } from './versions.ts';

export interface Service {
  readonly url: string;
  readonly token: string;
}

/** What sourcing a file sets, as `. FILE` of a shell does; words after its name are arguments. */
export function openrc(fileAndArguments: string): NodeJS.ProcessEnv {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OS_')));
  const script = 'file=$1; shift; . "$file" "$@" >&2; exec env -0';
  const printed = execFileSync('bash', ['-c', script, 'bash', ...fileAndArguments.split(' ')], {
    env,
    encoding: 'utf8',
  });
  return Object.fromEntries(
    printed.split('\0').map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]),
  );
}

/** Logs in as the OpenStack clients do. */
export async function login(env: NodeJS.ProcessEnv): Promise<Service> {
  if (env['OS_TOKEN'] !== undefined && env['OS_ENDPOINT'] !== undefined) {
    return { token: env['OS_TOKEN'], url: versioned(env['OS_ENDPOINT']) };
  }
  const user = {
    name: env['OS_USERNAME'],
    password: env['OS_PASSWORD'],
    domain: { name: env['OS_USER_DOMAIN_NAME'] ?? 'Default' },
  };
  const project = { name: env['OS_PROJECT_NAME'], domain: { name: env['OS_PROJECT_DOMAIN_NAME'] ?? 'Default' } };
  const auth = `${(env['OS_AUTH_URL'] ?? '').replace(/\/(v3\/?)?$/, '')}/v3/auth/tokens`;
  const answer = await fetch(auth, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth: { identity: { methods: ['password'], password: { user } }, scope: { project } } }),
  });
  if (answer.status !== 201) throw new Error(`logging in at ${auth}: HTTP ${answer.status}`);
  const { token } = (await answer.json()) as {
    token: { catalog: { type: string; endpoints: { interface: string; url: string }[] }[] };
  };
  const image = token.catalog.find((entry) => entry.type === 'image');
  const url = image?.endpoints.find((endpoint) => endpoint.interface === 'public')?.url ?? '';
  return { token: answer.headers.get('x-subject-token') ?? '', url: versioned(url) };
}

function versioned(url: string): string {
  return `${url.replace(/\/(v2\/?)?$/, '')}/v2`;
}

/** The service that OS_* names, and the one beside it that a file names; prints their versions. */
export async function servicesToMeasure(peerOpenrc: string | undefined): Promise<[Service, ...Service[]]> {
  const own = await login(process.env);
  const services: [Service, ...Service[]] = peerOpenrc === undefined ? [own] : [own, await login(openrc(peerOpenrc))];
  await printVersions(services.map(({ url }) => url));
  return services;
}

/** The middle value. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

/** The id of the project that the token is scoped to, as the image service sees it: the owner of an image made for the purpose. */
export async function ownProject({ url, token }: Service): Promise<string> {
  const headers = { 'x-auth-token': token, 'content-type': 'application/json' };
  const answer = await fetch(`${url}/images`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ name: 'bench-owner' }),
  });
  if (answer.status !== 201) throw new Error(`creating an image: HTTP ${answer.status}`);
  const { id, owner } = (await answer.json()) as { id: string; owner: string };
  await fetch(`${url}/images/${id}`, { method: 'DELETE', headers: { 'x-auth-token': token } });
  return owner;
}
