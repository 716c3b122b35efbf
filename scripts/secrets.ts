/** Passwords and signing key of a local service: made at the first start, kept in the data directory, readable by its owner only. */
import { generateKeyPair, randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BootstrapPasswords } from '../core/identity/bootstrap.ts';

export interface Secrets {
  readonly passwords: BootstrapPasswords;
  /** Private JWKs (ES256); the first one signs. */
  readonly signingKeys: readonly Record<string, unknown>[];
  /** Shared with the embedded AWS, for its private paths. */
  readonly controlToken: string;
}

export async function loadSecrets(dataDir: string): Promise<Secrets> {
  const path = join(dataDir, 'secrets.json');
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Secrets;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new Error(`${path} cannot be used; remove it to get new passwords`, { cause: error });
  }
  const secrets = await makeSecrets();
  await writeFile(`${path}.new`, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return secrets;
}

async function makeSecrets(): Promise<Secrets> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  const key = {
    ...privateKey.export({ format: 'jwk' }),
    alg: 'ES256',
    use: 'sig',
    kid: randomBytes(8).toString('hex'),
  };
  const password = (): string => randomBytes(15).toString('base64url');
  return {
    passwords: { admin: password(), demo: password(), alt: password(), reader: password(), service: password() },
    signingKeys: [key],
    controlToken: randomBytes(24).toString('base64url'),
  };
}
