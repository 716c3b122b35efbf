import type { GetSecretValueCommandOutput, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { BackendUnavailable, Throttled } from '../core/errors.ts';
import type { KeyManager } from '../core/signatures/key-manager.ts';
import { isThrottling } from './throttling.ts';

/** A request waits for it: three tries of the SDK are well within what a function has. Milliseconds. */
const SOON = { connectionTimeout: 2_000, requestTimeout: 4_000, throwOnRequestTimeout: true };

/** What Secrets Manager says of a secret that there is not, that is about to be deleted, or that is not for us (API reference, GetSecretValue). */
const ABSENT: ReadonlySet<string> = new Set([
  'ResourceNotFoundException',
  'InvalidRequestException',
  'InvalidParameterException',
  'AccessDeniedException',
  'DecryptionFailure',
]);

/**
 * Certificates as secrets of AWS Secrets Manager, named `{prefix}{uuid}`: PEM as text, or DER as binary. Every caller of the service may
 * use them. The SDK is loaded when it is needed.
 */
export function certificatesInSecretsManager(prefix: string): KeyManager {
  let opened: Promise<SecretsManagerClient> | undefined;
  return {
    async secret(id) {
      const { GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
      opened ??= open();
      const client = await opened;
      return unlessAbsent(async () => bytesOf(await client.send(new GetSecretValueCommand({ SecretId: prefix + id }))));
    },
  };
}

async function open(): Promise<SecretsManagerClient> {
  const { SecretsManagerClient: Client } = await import('@aws-sdk/client-secrets-manager');
  return new Client({ requestHandler: SOON });
}

const bytesOf = ({ SecretBinary, SecretString }: GetSecretValueCommandOutput): Uint8Array =>
  SecretBinary ?? Buffer.from(SecretString ?? '');

async function unlessAbsent(ask: () => Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Error && ABSENT.has(error.name)) return undefined;
    if (isThrottling(error))
      throw new Throttled('The key manager is asked more than it can take; try again later.', { cause: error });
    throw new BackendUnavailable('The key manager is not available; try again later.', { cause: error });
  }
}
