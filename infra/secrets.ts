/** Secrets are set with `sst secret set`; a missing one stops the deployment before anything is made. */
import { settings } from './stage.ts';

/** JSON array of private JWKs (ES256); the first one signs. */
const signingKeys = new sst.Secret('SigningKeys');
const keystonePassword = settings.config.identity.mode === 'keystone' ? new sst.Secret('KeystonePassword') : undefined;

/** By the variable that carries each (aws/environment.ts). */
export const secrets: Readonly<Record<string, $util.Output<string>>> = {
  GLIMPSE_SIGNING_KEYS: signingKeys.value,
  ...(keystonePassword && { GLIMPSE_KEYSTONE_PASSWORD: keystonePassword.value }),
};
