import type { ReadSecret } from './s3/credentials.ts';

/** A secret is a small answer of one region; a credential that waits for it holds up the call that needs it. Milliseconds. */
const SOON = { connectionTimeout: 2_000, requestTimeout: 8_000, throwOnRequestTimeout: true };

/** Reads from Secrets Manager: in the region of an ARN, and of `region` where only a name is given. The SDK is loaded when it is needed. */
export function secretsManager(region: string): ReadSecret {
  return async (id) => {
    const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
    const client = new SecretsManagerClient({ region: regionIn(id) ?? region, requestHandler: SOON });
    try {
      const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: id }));
      return SecretString ?? '';
    } finally {
      client.destroy();
    }
  };
}

/** `arn:aws:secretsmanager:{region}:{account}:secret:{name}-{suffix}` */
const regionIn = (id: string): string | undefined => /^arn:[\w-]+:secretsmanager:([\w-]+):/.exec(id)?.[1];
