/** `clouds.yaml` as openstacksdk reads it: a cloud by name, as the OS_* variables that say the same. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { UsageError } from '../exit.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Cloud = Readonly<Record<string, unknown>>;

/** What a cloud says beside `auth`, and the variable of the same meaning. */
const SETTINGS: Readonly<Record<string, string>> = {
  region_name: 'OS_REGION_NAME',
  interface: 'OS_INTERFACE',
  image_endpoint_override: 'OS_IMAGE_ENDPOINT_OVERRIDE',
  cacert: 'OS_CACERT',
};

/** What a cloud may leave to the environment: secrets that are typed in, and which of several places is meant. */
const LEFT_TO_ENVIRONMENT = ['OS_PASSWORD', 'OS_CACERT', 'OS_REGION_NAME', 'OS_INTERFACE'] as const;

/**
 * The variables to log in by: those of the cloud that `OS_CLOUD` names; the environment's own where it says `OS_AUTH_URL` or
 * `OS_TOKEN`; else those of the only cloud that there is.
 * @throws UsageError for a cloud that no file has, or a file that cannot be read as one
 */
export function loginSettings(env: Environment, folders: readonly string[] = cloudFolders()): Environment {
  const wanted = env['OS_CLOUD'];
  if (!wanted && (env['OS_AUTH_URL'] || env['OS_TOKEN'])) return env;
  const file = cloudFile(env, folders);
  if (file === undefined) {
    if (wanted) throw new UsageError(`cloud ${wanted}: there is no clouds.yaml (looked in ${folders.join(', ')})`);
    return env;
  }
  const clouds = cloudsIn(file);
  const names = Object.keys(clouds);
  const name = wanted || (names.length === 1 ? names[0] : undefined);
  if (name === undefined) return env;
  const cloud = clouds[name];
  if (cloud === undefined) throw new UsageError(`${file} has no cloud ${name}: it has ${names.join(', ')}`);
  return variablesOf(cloud, secretsOf(file, name), env);
}

function cloudFolders(): readonly string[] {
  return ['.', join(homedir(), '.config/openstack'), '/etc/openstack'];
}

function cloudFile(env: Environment, folders: readonly string[]): string | undefined {
  const given = env['OS_CLIENT_CONFIG_FILE'];
  const files = given
    ? [given]
    : folders.flatMap((folder) => ['yaml', 'yml'].map((end) => join(folder, `clouds.${end}`)));
  return files.find((file) => existsSync(file));
}

function cloudsIn(file: string): Readonly<Record<string, Cloud>> {
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new UsageError(`${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  const { clouds } = Object(content) as { readonly clouds?: Readonly<Record<string, Cloud>> | null };
  return clouds ?? {};
}

/** `secure.yaml` beside it has what others may not read. */
function secretsOf(file: string, name: string): Cloud {
  const secure = join(dirname(file), 'secure.yaml');
  return existsSync(secure) ? (cloudsIn(secure)[name] ?? {}) : {};
}

function variablesOf(cloud: Cloud, secrets: Cloud, env: Environment): Environment {
  const auth = { ...Object(cloud['auth']), ...Object(secrets['auth']) } as Readonly<Record<string, unknown>>;
  const own = Object.entries(auth).map(([key, value]) => [`OS_${key.toUpperCase()}`, String(value)]);
  const more = Object.entries(SETTINGS).flatMap(([key, variable]) => {
    const value = secrets[key] ?? cloud[key];
    return value === undefined || value === null ? [] : [[variable, String(value)]];
  });
  const left = LEFT_TO_ENVIRONMENT.flatMap((variable) => (env[variable] ? [[variable, env[variable]]] : []));
  const insecure = cloud['verify'] === false ? { OS_INSECURE: 'true' } : {};
  return { ...Object.fromEntries(left), ...Object.fromEntries([...own, ...more]), ...insecure };
}
