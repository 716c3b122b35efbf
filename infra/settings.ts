/**
 * What one stage is deployed with: the service's configuration file (the same file the handlers read) and where and how it is
 * reached, from the environment. Everything is checked here, before any resource is declared.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
// biome-ignore lint/style/noRestrictedImports: the one schema of the configuration; a wrong file must fail before a resource is touched, not in the first request
import { type Config, parseConfig, refuseFolder, refuseKeysInFile } from '../core/config.ts';
import { REGIONS } from './regions.ts';

export type Edge = 'cloudfront' | 'alb';
export type Concurrency = 'reserved' | 'shared';

export interface Settings {
  readonly stage: string;
  readonly region: string;
  readonly edge: Edge;
  /** Public host name and its certificate; absent: CloudFront's own name. */
  readonly domain?: { readonly name: string; readonly certificateArn: string };
  /** Image of the gateway; absent: built from gateway/Dockerfile, which needs docker. */
  readonly gatewayImage?: string;
  /** Folder of a built console, relative to the repository; absent: no console. */
  readonly consoleDist?: string;
  /** `shared`: no function has concurrency of its own, for accounts that have too little to reserve any. */
  readonly concurrency: Concurrency;
  /** Executions that render at once, of all imports together; absent: by the size of the stage. */
  readonly renderConcurrency?: number;
  /** Receives alarms. */
  readonly alarmEmail?: string;
  readonly config: Config;
  /** Files that handlers read at run time, relative to the repository and, unchanged, to their working directory. */
  readonly configFile: string;
  readonly files: readonly string[];
}

/** A deployment that cannot be; `message` is one sentence for the operator. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings of a stage.
 * @param root folder of the repository
 * @throws SettingsError, ConfigError
 */
export function readSettings(stage: string, env: Environment, root: string): Settings {
  const region = oneOfRegions('GLIMPSE_REGION', env['GLIMPSE_REGION'] || 'us-east-1');
  const configFile = env['GLIMPSE_CONFIG'] || `infra/config/${stage}.json`;
  const config = readConfig(join(root, relative('GLIMPSE_CONFIG', configFile)), configFile);
  checkStores(config);
  const { policy_file, policy_dirs, property_protection_file } = config;
  const files = [configFile, policy_file, ...policy_dirs, property_protection_file].filter(
    (file) => file !== undefined,
  );
  for (const file of files.slice(1)) {
    if (!existsSync(join(root, relative(configFile, file))))
      throw new SettingsError(`${configFile}: the file ${file} does not exist.`);
  }
  if (!env['GLIMPSE_GATEWAY_IMAGE']) checkInImage(configFile, files);
  const edge = edgeOf(env['GLIMPSE_EDGE'] || 'cloudfront');
  if (edge === 'alb' && config.gateway === 'off')
    throw new SettingsError(
      `${configFile}: gateway off needs GLIMPSE_EDGE=cloudfront: behind a load balancer the gateway has the public name.`,
    );
  const domain = domainOf(env, edge, region);
  const consoleDist = consoleOf(env['GLIMPSE_CONSOLE_DIST'], edge, root);
  return {
    stage,
    region,
    edge,
    config,
    configFile,
    files,
    concurrency: concurrencyOf(env['GLIMPSE_CONCURRENCY'] || 'reserved'),
    ...(env['GLIMPSE_RENDER_CONCURRENCY'] && {
      renderConcurrency: countOf('GLIMPSE_RENDER_CONCURRENCY', env['GLIMPSE_RENDER_CONCURRENCY']),
    }),
    ...(domain && { domain }),
    ...(consoleDist && { consoleDist }),
    ...(env['GLIMPSE_GATEWAY_IMAGE'] && { gatewayImage: env['GLIMPSE_GATEWAY_IMAGE'] }),
    ...(env['GLIMPSE_ALARM_EMAIL'] && { alarmEmail: env['GLIMPSE_ALARM_EMAIL'] }),
  };
}

function readConfig(path: string, shown: string): Config {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SettingsError(`The configuration file ${shown} cannot be read: ${reason}`, { cause: error });
  }
  try {
    const config = parseConfig(parsed);
    refuseKeysInFile(config);
    // The configuration of a machine that runs packaged functions (scripts/as-deployed.ts) names its own folder in full.
    if (!config.signed_images.certificates_folder.startsWith('/')) refuseFolder(config);
    return config;
  } catch (error) {
    throw new SettingsError(`${shown}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** gateway/Dockerfile copies this folder and no other; an image that was made elsewhere holds what its maker put there. */
const IN_IMAGE = 'infra/config/';

function checkInImage(configFile: string, files: readonly string[]): void {
  const outside = files.find((file) => !file.startsWith(IN_IMAGE));
  if (outside === undefined) return;
  const what = outside === configFile ? 'GLIMPSE_CONFIG' : configFile;
  throw new SettingsError(`${what}: ${outside} is not below ${IN_IMAGE}, which is what the gateway's image holds.`);
}

/** Amazon S3 user guide, "General purpose bucket naming rules". Dots are refused: TLS certificates do not cover them. */
const BUCKET =
  /^(?!xn--|sthree-|amzn-s3-demo-)(?!.*(?:-s3alias|--ol-s3|--x-s3|--table-s3)$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

/** Where the number of the account goes in the name of a bucket, which is one for all accounts there are. */
export const ACCOUNT = '{account}';

function checkStores({ stores }: Config): void {
  const seen = new Map<string, string>();
  for (const { id, bucket, region, endpoint, credentials_secret } of stores) {
    if (endpoint === undefined && region !== undefined) oneOfRegions(`stores: ${id}: region`, region);
    if (!BUCKET.test(bucket.replace(ACCOUNT, '0'.repeat(12))))
      throw new SettingsError(
        `stores: ${id}: bucket "${bucket}" is no bucket name: 3 to 63 lower-case letters, digits and hyphens.`,
      );
    if (credentials_secret?.startsWith('env:') === true)
      throw new SettingsError(
        `stores: ${id}: credentials_secret: "${credentials_secret}": a stage has no variables of yours; name a secret of Secrets Manager.`,
      );
    const place = `${endpoint ?? 'aws'} ${bucket}`;
    const other = seen.get(place);
    if (other !== undefined) throw new SettingsError(`stores: ${other} and ${id} share the bucket "${bucket}".`);
    seen.set(place, id);
  }
}

function oneOfRegions(what: string, region: string): string {
  if (!REGIONS.has(region)) throw new SettingsError(`${what}: "${region}" is no AWS region (infra/regions.ts).`);
  return region;
}

function edgeOf(value: string): Edge {
  if (value === 'cloudfront' || value === 'alb') return value;
  throw new SettingsError(`GLIMPSE_EDGE: "${value}" is neither cloudfront nor alb.`);
}

function concurrencyOf(value: string): Concurrency {
  if (value === 'reserved' || value === 'shared') return value;
  throw new SettingsError(`GLIMPSE_CONCURRENCY: "${value}" is neither reserved nor shared.`);
}

function countOf(what: string, value: string): number {
  if (/^[1-9]\d{0,4}$/.test(value)) return Number(value);
  throw new SettingsError(`${what}: "${value}" is no number from 1 to 99999.`);
}

const CERTIFICATE = /^arn:aws[\w-]*:acm:([a-z0-9-]+):\d{12}:certificate\/[\w-]+$/;

/** CloudFront takes certificates of us-east-1 only; a load balancer those of its own region. */
function domainOf(env: Environment, edge: Edge, region: string): Settings['domain'] {
  const { GLIMPSE_DOMAIN: name, GLIMPSE_CERTIFICATE_ARN: certificateArn } = env;
  if (!name && !certificateArn && edge === 'cloudfront') return undefined;
  if (!name || !certificateArn)
    throw new SettingsError(
      `GLIMPSE_DOMAIN and GLIMPSE_CERTIFICATE_ARN must ${edge === 'alb' ? 'both be set with GLIMPSE_EDGE=alb' : 'be set together'}.`,
    );
  if (!/^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/.test(name))
    throw new SettingsError(`GLIMPSE_DOMAIN: "${name}" is no host name.`);
  const wanted = edge === 'alb' ? region : 'us-east-1';
  const found = CERTIFICATE.exec(certificateArn)?.[1];
  if (found !== wanted)
    throw new SettingsError(
      `GLIMPSE_CERTIFICATE_ARN: "${certificateArn}" is no certificate ARN of ${wanted}, which ${edge} needs.`,
    );
  return { name, certificateArn };
}

function consoleOf(dist: string | undefined, edge: Edge, root: string): string | undefined {
  if (!dist) return undefined;
  if (edge !== 'cloudfront')
    throw new SettingsError(`GLIMPSE_CONSOLE_DIST: the console needs GLIMPSE_EDGE=cloudfront, not ${edge}.`);
  if (existsSync(join(root, relative('GLIMPSE_CONSOLE_DIST', dist), 'index.html'))) return dist;
  throw new SettingsError(`GLIMPSE_CONSOLE_DIST: ${dist} holds no index.html; build the console first.`);
}

/** The same path must lead to the file here, in a function's package and in the container. */
function relative(what: string, path: string): string {
  if (path.startsWith('/') || path.split('/').includes('..'))
    throw new SettingsError(`${what}: "${path}" must be a path inside the repository, relative to its root.`);
  return path;
}
