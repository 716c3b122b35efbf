/**
 * Secrets are set with `sst secret set`. A missing or unusable one stops the deployment before anything is made: the component itself
 * would notice while other resources are already on their way.
 */
import { createHmac } from 'node:crypto';
// biome-ignore lint/style/noRestrictedImports: which half of a key is public is said once
import { publicHalf } from '../core/identity/public-half.ts';
// biome-ignore lint/style/noRestrictedImports: how keys follow from keys is said once
import { sourceKeysOf } from '../core/identity/source-keys.ts';
import { SettingsError } from './settings.ts';
import { settings } from './stage.ts';

/** The command hands the stage's secrets to the program by these variables. */
function declare(name: string): sst.Secret {
  if (!process.env[`SST_SECRET_${name}`])
    throw new SettingsError(
      `The secret ${name} is not set: npx sst secret set ${name} VALUE --stage ${settings.stage} (docs/operations/deploy.md).`,
    );
  return new sst.Secret(name);
}

/** JSON array of private JWKs (ES256); the first one signs. */
const signingKeys = declare('SigningKeys');
checkSigningKeys(process.env['SST_SECRET_SigningKeys'] ?? '');
const keystonePassword = settings.config.identity.mode === 'keystone' ? declare('KeystonePassword') : undefined;

/** Of the service user at an existing Keystone. By the variable that carries it (service/environment.ts), as below. */
export const keystoneSecret: Readonly<Record<string, $util.Output<string>>> =
  keystonePassword === undefined ? {} : { GLIMPSE_KEYSTONE_PASSWORD: keystonePassword.value };

/** What makes tokens. */
const signing: Readonly<Record<string, $util.Output<string>>> = { GLIMPSE_SIGNING_KEYS: signingKeys.value };
/** What checks them: the same keys without their private halves. */
const verification: Readonly<Record<string, $util.Output<string>>> = {
  GLIMPSE_VERIFICATION_KEYS: signingKeys.value.apply(publicKeysOf),
};

/** By what a function does with tokens (infra/permissions.ts). With an existing Keystone all it takes is to ask there. */
export const tokenSecrets: Readonly<Record<'makes' | 'checks', Readonly<Record<string, $util.Output<string>>>>> = {
  makes: { ...signing, ...keystoneSecret },
  checks: { ...verification, ...keystoneSecret },
};

/** Seal what the image API keeps for the fetch of an import. */
export const sourceKeys: $util.Output<string> = $util.secret(
  signingKeys.value.apply((text) => sourceKeysOf(JSON.parse(text) as Readonly<Record<string, unknown>>[])),
);

function publicKeysOf(text: string): string {
  const keys = JSON.parse(text) as Readonly<Record<string, unknown>>[];
  return JSON.stringify(keys.map(publicHalf));
}

/**
 * By which the edge is known to what answers behind it (api/client-address.ts). Of the signing keys, one way: nothing more to set, and
 * rotated with them; for the minutes in between, log-ins count by the edge's address.
 */
export const edgeSecret: $util.Output<string> = $util.secret(
  signingKeys.value.apply((keys) => createHmac('sha256', keys).update('glimpse edge').digest('hex')),
);

/** The message says nothing of the value. @throws SettingsError */
function checkSigningKeys(text: string): void {
  try {
    const keys = JSON.parse(text) as unknown;
    if (Array.isArray(keys) && keys.length > 0 && keys.every(isSigningKey)) return;
  } catch {
    // Said below: the parser's own words would quote the secret.
  }
  throw new SettingsError(
    'The secret SigningKeys is no JSON array of private ES256 keys: node scripts/stage.ts keys prints one.',
  );
}

/** RFC 7518, section 6.2. */
function isSigningKey(value: unknown): boolean {
  const { kty, crv, d, kid } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return kty === 'EC' && crv === 'P-256' && typeof d === 'string' && typeof kid === 'string';
}
