import { certificatesInSecretsManager } from '../aws/certificates.ts';
import { type Config, ConfigError, type KEY_MANAGERS } from '../core/config.ts';
import type { KeyManager } from '../core/signatures/key-manager.ts';
import { certificateFolder } from '../files/certificate-folder.ts';
import { certificatesInBarbican } from '../keystone/barbican.ts';

type Kind = (typeof KEY_MANAGERS)[number];

/** By kind; none asks its service before it is used. */
const OPEN: Readonly<Record<Kind, (config: Config['signed_images']) => KeyManager>> = {
  files: ({ certificates_folder }) => certificateFolder(certificates_folder),
  'secrets-manager': ({ secret_prefix }) => certificatesInSecretsManager(secret_prefix),
  barbican: ({ barbican_endpoint }) => {
    if (barbican_endpoint === undefined)
      throw new ConfigError('signed_images.barbican_endpoint: not set: needed with key_manager barbican');
    return certificatesInBarbican(barbican_endpoint);
  },
};

/** Where the certificates of signatures are. @throws ConfigError */
export function keyManagerOf({ signed_images }: Pick<Config, 'signed_images'>): KeyManager {
  return OPEN[signed_images.key_manager](signed_images);
}
