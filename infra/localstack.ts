/**
 * A provider for one more region at an emulator. Explicit providers inherit nothing, so it takes the default one's settings
 * (sst.config.ts), with flags as the booleans that they are here.
 */
export function localstackProvider(name: string, region: string): aws.Provider {
  const { endpoints, accessKey, secretKey } = ($app.providers?.['aws'] ?? {}) as aws.ProviderArgs;
  return new aws.Provider(name, {
    region: region as aws.Region,
    endpoints,
    accessKey,
    secretKey,
    skipCredentialsValidation: true,
    skipMetadataApiCheck: true,
    skipRequestingAccountId: true,
    s3UsePathStyle: true,
  });
}
