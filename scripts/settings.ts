/** What `npm start` runs with: environment, arguments, and the defaults of one machine (design section 3). */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Config, ConfigError, parseConfig } from '../core/config.ts';
import { readStrict, type Strict } from '../local/strict.ts';
import { hostNames } from '../local/wire/web-guard.ts';

export interface Settings {
  readonly port: number;
  readonly awsPort: number;
  readonly dataDir: string;
  readonly ephemeral: boolean;
  /** How hard the embedded AWS is. */
  readonly strict: Strict;
  /** Names besides those of loopback that both ports are reached by. */
  readonly hosts: readonly string[];
  readonly config: Config;
  /** The AWS that the service runs on, where that is not the embedded one. */
  readonly emulator?: EmulatorSettings;
}

export interface EmulatorSettings {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** Of DynamoDB; absent: the embedded one. */
  readonly dynamodb?: string;
}

const USAGE = `Usage: npm start [-- --ephemeral] [-- --as-deployed] [-- --help]

Starts the image service, its identity service and an embedded AWS on this machine.

  --ephemeral   keep the data in a temporary directory that is removed at the end
  --as-deployed run the functions as a deployment packages them, under its roles, on an embedded AWS as strict as it can be;
                needs npm run infra:install, and a minute to start
  --help        this text

Environment
  GLIMPSE_PORT      port of the service (default 9292)
  GLIMPSE_AWS_PORT  port of the embedded AWS (default 4566), or of its DynamoDB beside another AWS (default 4567)
  GLIMPSE_DATA      data directory (default .glimpse, on another AWS .glimpse-emulator)
  GLIMPSE_HOSTS     names besides localhost that both ports are reached by, with commas between; a request to any other gets 421
  GLIMPSE_CONFIG    JSON file with settings; each one replaces the default below
  AWS_ENDPOINT_URL  an emulator of AWS, such as LocalStack, to run on instead of the embedded one (docs/local.md)
  AWS_ENDPOINT_URL_DYNAMODB
                    its DynamoDB, where that is not the embedded one
`;

/** Where one machine differs from production: three stores; files unpacked, converted to raw, and looked into; downloads from itself allowed. */
export const LOCAL_DEFAULTS = {
  stores: [
    { id: 'central', bucket: 'glimpse-store-central', description: 'Central store', default: true },
    { id: 'dcn0', bucket: 'glimpse-store-dcn0', description: 'Edge store 0' },
    { id: 'dcn1', bucket: 'glimpse-store-dcn1', description: 'Edge store 1' },
  ],
  image_import_plugins: ['image_decompression', 'image_conversion', 'image_introspection'],
  signed_images: { key_manager: 'files' },
  import_filtering_opts: { allow_private_addresses: true, allowed_ports: [] },
} as const;

/** Number of the account of the embedded AWS: stands for `{account}`, as that of a stage does there. */
const LOCAL_ACCOUNT = '000000000000';

/** The arguments ask for help, or cannot be understood; `message` is for the terminal. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly exitCode: number;
  constructor(message: string, options: ErrorOptions & { readonly exitCode: number }) {
    super(message, options);
    this.exitCode = options.exitCode;
  }
}

/** Of `--as-deployed`; GLIMPSE_LOCAL_STRICT adds options. */
const AS_DEPLOYED = { bundles: {}, iam: {}, front: {}, dynamodb: {}, s3: {} } as const satisfies Strict;

/** @throws UsageError, ConfigError, TypeError for a switch that does not exist */
export function readSettings(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Settings {
  const { ephemeral, help, 'as-deployed': asDeployed } = parse(args);
  if (help) throw new UsageError(USAGE, { exitCode: 0 });
  const port = portOf(env, 'GLIMPSE_PORT', 9292);
  const config = withConsole(parseConfig(overDefaults(readConfigFile(env['GLIMPSE_CONFIG']))), port);
  const emulator = emulatorOf(env);
  if (emulator !== undefined && asDeployed)
    throw new UsageError('--as-deployed is of the embedded AWS: unset AWS_ENDPOINT_URL', { exitCode: 2 });
  return {
    port,
    awsPort: portOf(env, 'GLIMPSE_AWS_PORT', emulator === undefined ? 4566 : 4567),
    dataDir: resolve(env['GLIMPSE_DATA'] || (emulator === undefined ? '.glimpse' : '.glimpse-emulator')),
    ...(emulator && { emulator }),
    ephemeral,
    hosts: [...hostNames(env['GLIMPSE_HOSTS']), ...publicHost(config)],
    strict: { ...(asDeployed && AS_DEPLOYED), ...readStrict(env['GLIMPSE_LOCAL_STRICT']) },
    config: checked(config),
  };
}

/** A setting replaces a default; those of signatures are a group of which the key manager alone has one. */
function overDefaults(given: Record<string, unknown>): Record<string, unknown> {
  const { signed_images: own } = given;
  const { signed_images } = LOCAL_DEFAULTS;
  const isGroup = typeof own === 'object' && own !== null && !Array.isArray(own);
  return { ...LOCAL_DEFAULTS, ...given, ...(isGroup && { signed_images: { ...signed_images, ...own } }) };
}

/** The console is the front door's, unless it is said to be elsewhere; of a port that is not known yet there is none. */
function withConsole(config: Config, port: number): Config {
  const { public_endpoint: url, console_origin: given } = config;
  const own = url === undefined ? port !== 0 && `http://127.0.0.1:${port}` : new URL(url).origin;
  return given === undefined && own !== false ? { ...config, console_origin: own } : config;
}

/** Of `public_endpoint`: what links lead to must be let in. */
function publicHost({ public_endpoint: url }: Config): string[] {
  return url === undefined ? [] : [new URL(url).hostname.toLowerCase()];
}

/** @throws ConfigError for a secret that only a stage has */
function checked(config: Config): Config {
  for (const { id, credentials_secret: secret } of config.stores) {
    if (secret !== undefined && !secret.startsWith('env:'))
      throw new ConfigError(
        `stores: ${id}: credentials_secret: "${secret}": the embedded AWS keeps no secrets: name variables by env:NAME, or give credentials`,
      );
  }
  if (config.signed_images.key_manager === 'secrets-manager')
    throw new ConfigError(
      'signed_images.key_manager: secrets-manager: the embedded AWS keeps no secrets: use files, or barbican',
    );
  return config;
}

function parse(args: readonly string[]): {
  ephemeral: boolean;
  help: boolean;
  'as-deployed': boolean;
} {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ephemeral: { type: 'boolean', default: false },
        'as-deployed': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`, {
      cause: error,
      exitCode: 2,
    });
  }
}

/** @throws UsageError for what is no URL, or AWS itself */
function emulatorOf(env: Readonly<Record<string, string | undefined>>): EmulatorSettings | undefined {
  const endpoint = urlIn(env, 'AWS_ENDPOINT_URL');
  if (endpoint === undefined) return undefined;
  const dynamodb = urlIn(env, 'AWS_ENDPOINT_URL_DYNAMODB');
  return { endpoint, ...(dynamodb !== undefined && { dynamodb }) };
}

function urlIn(env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError(`${name}: "${text}" is no URL as http://127.0.0.1:4566`, { exitCode: 2 });
  if (/(^|\.)amazonaws\.com(\.cn)?$/.test(url.hostname))
    throw new UsageError(
      `${name}: ${url.hostname} is AWS itself: \`npm start\` runs on emulators; docs/operations/deploy.md is for AWS`,
      { exitCode: 2 },
    );
  return text.replace(/\/+$/, '');
}

function portOf(env: Readonly<Record<string, string | undefined>>, name: string, otherwise: number): number {
  const text = env[name];
  if (text === undefined || text === '') return otherwise;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new UsageError(`${name}: "${text}" is no port (0 to 65535)`, { exitCode: 2 });
  return port;
}

function readConfigFile(path: string | undefined): Record<string, unknown> {
  if (path === undefined || path === '') return {};
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(
      `GLIMPSE_CONFIG: ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  try {
    const parsed: unknown = JSON.parse(text.replaceAll('{account}', LOCAL_ACCOUNT));
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>;
  } catch (error) {
    throw new ConfigError(`${path} is no JSON: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  throw new ConfigError(`${path} holds no JSON object`);
}
