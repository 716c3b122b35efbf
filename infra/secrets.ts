/** Secrets are set with `sst secret set`; a missing one stops the deployment before anything is made. */
import { settings } from './stage.ts';

/** JSON array of private JWKs (ES256); the first one signs. */
const signingKeys = new sst.Secret('SigningKeys');
const keystonePassword = settings.config.identity.mode === 'keystone' ? new sst.Secret('KeystonePassword') : undefined;

/** Of the service user at an existing Keystone. By the variable that carries it (aws/environment.ts), as below. */
export const keystoneSecret: Readonly<Record<string, $util.Output<string>>> =
  keystonePassword === undefined ? {} : { GLIMPSE_KEYSTONE_PASSWORD: keystonePassword.value };

/** What makes or checks tokens. */
export const secrets: Readonly<Record<string, $util.Output<string>>> = {
  GLIMPSE_SIGNING_KEYS: signingKeys.value,
  ...keystoneSecret,
};
