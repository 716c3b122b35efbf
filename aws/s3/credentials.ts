import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { ConfigError, type StoreConfig } from '../../core/config.ts';

type Given = NonNullable<S3ClientConfig['credentials']>;
export type CredentialProvider = Extract<Given, (...args: never) => unknown>;
type Identity = Exclude<Given, CredentialProvider>;

/** The text of a secret, by its name or ARN. */
export type ReadSecret = (id: string) => Promise<string>;

export interface CredentialSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readSecret: ReadSecret;
}

export interface StoreCredentials {
  /** The same name is the same credentials. */
  readonly name: string;
  readonly provider: CredentialProvider;
}

const Keys = z.object({ access_key: z.string().min(1), secret_key: z.string().min(1) });

/** A secret is read again after this: it may have been rotated. The SDK asks five minutes before credentials end. */
const LIFETIME_MS = 10 * 60_000;

/**
 * The credentials of a store at an endpoint of its own; undefined where the process's own are right: in AWS.
 * @throws ConfigError when a variable that it names is not set
 */
export function storeCredentials(
  store: StoreConfig,
  { env, readSecret }: CredentialSources,
): StoreCredentials | undefined {
  const { id, endpoint, credentials, credentials_secret: secret } = store;
  if (endpoint === undefined) return undefined;
  if (credentials !== undefined)
    return { name: `keys:${credentials.access_key}`, provider: async () => identityOf(credentials) };
  // core/config.ts lets nobody else's service have none.
  if (secret === undefined) throw new ConfigError(`stores: ${id}: credentials_secret: not set`);
  if (!secret.startsWith('env:')) return { name: secret, provider: fromSecret(id, secret, readSecret) };
  const variable = (suffix: string): string => {
    const name = `${secret.slice('env:'.length)}_${suffix}`;
    const value = env[name];
    if (value === undefined || value === '')
      throw new ConfigError(`stores: ${id}: credentials_secret: ${name} is not set in the environment`);
    return value;
  };
  const identity = identityOf({ access_key: variable('ACCESS_KEY'), secret_key: variable('SECRET_KEY') });
  return { name: secret, provider: async () => identity };
}

function fromSecret(id: string, secret: string, readSecret: ReadSecret): CredentialProvider {
  return async () => {
    const keys = keysIn(await readSecret(secret));
    // Neither the parser's words nor the schema's are handed on: they may quote the secret.
    if (keys === undefined)
      throw new ConfigError(
        `stores: ${id}: credentials_secret: ${secret} holds no JSON object with access_key and secret_key`,
      );
    return { ...identityOf(keys), expiration: new Date(Date.now() + LIFETIME_MS) };
  };
}

function keysIn(text: string): z.infer<typeof Keys> | undefined {
  try {
    return Keys.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const identityOf = ({ access_key, secret_key }: z.infer<typeof Keys>): Identity => ({
  accessKeyId: access_key,
  secretAccessKey: secret_key,
});
