/** What every service on one machine has, whatever AWS it runs on: its folder, its environment, and what it says when it is ready. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Config } from '../core/config.ts';
import { publicHalf } from '../core/identity/public-half.ts';
import { sourceKeysOf } from '../core/identity/source-keys.ts';
import type { AwsProcesses } from '../local/processes.ts';
import { ENVIRONMENT } from '../service/environment.ts';
import { FUNCTION_SECONDS } from '../workflows/topology.ts';
import type { Secrets } from './secrets.ts';
import type { Settings } from './settings.ts';

export interface Service {
  /** `http://127.0.0.1:{port}` */
  readonly url: string;
  /** For AWS_ENDPOINT_URL. */
  readonly awsEndpoint: string;
  readonly dataDir: string;
  readonly greeting: string;
  /** The embedded AWS, or the part of it that stands in for what an emulator lacks. */
  readonly aws?: Pick<AwsProcesses, 'pid'>;
  close(): Promise<void>;
}

export interface ServiceOptions {
  /** Something that the service cannot live without died. */
  readonly onFailure: (error: Error) => void;
}

export const REGION = 'us-east-1';

export async function openDataDir(
  { ephemeral, dataDir: wanted }: Pick<Settings, 'ephemeral' | 'dataDir'>,
  undo: (() => Promise<void>)[],
): Promise<string> {
  if (!ephemeral) {
    await mkdir(wanted, { recursive: true, mode: 0o700 });
    return wanted;
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'glimpse-'));
  undo.push(() => rm(dataDir, { recursive: true, force: true }));
  return dataDir;
}

/** The folder of certificates is in the data folder, where it is not said to be elsewhere. */
export async function withCertificates(config: Config, dataDir: string): Promise<Config> {
  const folder = resolve(dataDir, config.signed_images.certificates_folder);
  if (config.signed_images.key_manager === 'files') await mkdir(folder, { recursive: true, mode: 0o700 });
  return { ...config, signed_images: { ...config.signed_images, certificates_folder: folder } };
}

/** What functions and gateway read (service/environment.ts), and what the SDK reads. */
export async function setEnvironment(
  config: Config,
  dataDir: string,
  secrets: Secrets,
  endpoints: Readonly<Record<string, string>>,
): Promise<void> {
  const configPath = join(dataDir, 'config.json');
  await writeFile(configPath, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  Object.assign(process.env, {
    ...endpoints,
    [ENVIRONMENT.region]: REGION,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    [ENVIRONMENT.table]: 'glimpse',
    [ENVIRONMENT.stagingBucket]: 'glimpse-staging',
    [ENVIRONMENT.config]: configPath,
    [ENVIRONMENT.functionSeconds]: process.env[ENVIRONMENT.functionSeconds] ?? String(FUNCTION_SECONDS),
    [ENVIRONMENT.signingKeys]: JSON.stringify(secrets.signingKeys),
    [ENVIRONMENT.verificationKeys]: JSON.stringify(secrets.signingKeys.map(publicHalf)),
    [ENVIRONMENT.sourceKeys]: sourceKeysOf(secrets.signingKeys),
    POWERTOOLS_LOG_LEVEL: process.env['POWERTOOLS_LOG_LEVEL'] ?? 'WARN',
  });
}

/** @param aws which AWS, and where */
export function greeting(
  config: Config,
  url: string,
  aws: string,
  dataDir: string,
  openrc: string | undefined,
): string {
  const identityUrl = openrc === undefined ? config.identity.auth_url : `${url}/identity/v3`;
  const accounts =
    openrc === undefined ? 'Accounts are those of Keystone' : 'Other openrc files and clouds.yaml lie beside it';
  return [
    `Glimpse is ready: ${url} (identity ${identityUrl}, ${aws}, data ${dataDir})`,
    '',
    ...(openrc === undefined ? [] : [`  source ${openrc}`]),
    '  openstack image list',
    '  glance image-create-via-import --import-method glance-direct --disk-format qcow2 --container-format bare --name demo --file disk.qcow2',
    '',
    `Stores ${config.stores.map((store) => store.id).join(', ')}; plugins ${config.image_import_plugins.join(', ') || 'none'}; max_virtual_size ${config.max_virtual_size} bytes.`,
    `${accounts}; settings are replaced by the JSON file that GLIMPSE_CONFIG names.`,
  ].join('\n');
}
