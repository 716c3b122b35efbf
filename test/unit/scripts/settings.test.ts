import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readSettings } from '../../../scripts/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'glimpse-settings-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What `npm start` runs with when its file says this of its only store. */
function settingsOf(store: object) {
  const path = join(folder, 'config.json');
  writeFileSync(path, JSON.stringify({ stores: [{ id: 'a', bucket: 'images', ...store }] }));
  return readSettings([], { GLIMPSE_CONFIG: path });
}
const endpoint = 'https://s3.example.org';

test('{account} in the name of a bucket is that of the embedded AWS', () => {
  expect(settingsOf({ bucket: 'images-{account}' }).config.stores).toMatchObject([{ bucket: 'images-000000000000' }]);
});

test('a secret of Secrets Manager is refused, since the embedded AWS has none; variables and keys are fine', () => {
  expect(() => settingsOf({ endpoint, credentials_secret: 'edge' })).toThrow(
    'stores: a: credentials_secret: "edge": the embedded AWS keeps no secrets',
  );
  expect(settingsOf({ endpoint, credentials_secret: 'env:EDGE' }).config.stores).toHaveLength(1);
  const credentials = { access_key: 'a', secret_key: 's' };
  expect(settingsOf({ endpoint, credentials }).config.stores).toMatchObject([{ credentials }]);
});

test('certificates of signatures are files unless another key manager is named; what else is said of them stays', () => {
  const signedImages = (said: object) => {
    const path = join(folder, 'signed.json');
    writeFileSync(path, JSON.stringify(said));
    return readSettings([], { GLIMPSE_CONFIG: path }).config.signed_images;
  };

  expect(readSettings([], {}).config.signed_images.key_manager).toBe('files');
  expect(signedImages({ signed_images: { allow_conversion: true } })).toMatchObject({
    ...{ key_manager: 'files', allow_conversion: true },
  });
  const barbican = { key_manager: 'barbican', barbican_endpoint: 'http://127.0.0.1:9311' };
  expect(signedImages({ signed_images: barbican })).toMatchObject(barbican);
  expect(() => signedImages({ signed_images: { key_manager: 'secrets-manager' } })).toThrow('use files, or barbican');
});

test('another AWS is named by AWS_ENDPOINT_URL, its DynamoDB apart', () => {
  const given = { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566/' };

  expect(readSettings([], {}).emulator).toBeUndefined();
  expect(readSettings([], { AWS_ENDPOINT_URL: '' }).emulator).toBeUndefined();
  expect(readSettings([], given)).toMatchObject({ awsPort: 4567, emulator: { endpoint: 'http://127.0.0.1:4566' } });
  expect(readSettings([], given).dataDir).toMatch(/\.glimpse-emulator$/);
  expect(readSettings([], { ...given, AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:5000' }).emulator).toEqual({
    ...{ endpoint: 'http://127.0.0.1:4566', dynamodb: 'http://127.0.0.1:5000' },
  });
});

test.each([
  [{ AWS_ENDPOINT_URL: '127.0.0.1:4566' }, 'AWS_ENDPOINT_URL: "127.0.0.1:4566" is no URL'],
  [{ AWS_ENDPOINT_URL: 'http://a', AWS_ENDPOINT_URL_DYNAMODB: 'tables' }, 'AWS_ENDPOINT_URL_DYNAMODB: "tables"'],
  [{ AWS_ENDPOINT_URL: 'https://s3.eu-central-1.amazonaws.com' }, 'is AWS itself'],
])('%j is refused in one sentence', (env, sentence) => {
  expect(() => readSettings([], env)).toThrow(sentence);
});

test('packages and roles of a deployment are of the embedded AWS', () => {
  expect(() => readSettings(['--as-deployed'], { AWS_ENDPOINT_URL: 'http://a' })).toThrow('unset AWS_ENDPOINT_URL');
});
