/** A service that says nothing ends no request of ours late: every client of the SDK that the product makes has time limits of its own. */
import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { createS3Client } from '../../../aws/s3/client.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** What runs in a deployment. */
const ROOMS = ['api', 'aws', 'bytes', 'core', 'files', 'functions', 'gateway', 'keystone', 'service', 'web'];

interface Construction {
  readonly file: string;
  readonly text: string;
}

/** `new XClient({ … })`, and `new` of a client under the name that an import gave it, with the whole file. */
async function constructions(): Promise<Construction[]> {
  const found: Construction[] = [];
  for await (const path of glob(`{${ROOMS.join(',')}}/**/*.ts`, { cwd: ROOT })) {
    const text = readFileSync(join(ROOT, path), 'utf8');
    const renamed = [...text.matchAll(/\b\w+Client: (\w+)\b[^}]*\} = await import\('@aws-sdk/g)].map(
      ([, name]) => name,
    );
    for (const [, name, settings] of text.matchAll(/\bnew (\w+)\(([^()]*)/g))
      if (name?.endsWith('Client') || renamed.includes(name)) found.push({ file: path, text: `${name}(${settings}` });
  }
  return found.toSorted((a, b) => (a.file < b.file ? -1 : 1));
}

/** Where clients are made. A new one gets its line here, and time limits. */
const MADE = [
  'aws/certificates.ts Client({ requestHandler: SOON }',
  'aws/s3/client.ts S3Client({ … }',
  'aws/secrets.ts SecretsManagerClient({ region: regionIn',
  'service/deps.ts DynamoDBClient({ requestHandler: SOON }',
  'service/deps.ts SFNClient({ requestHandler: SOON }',
];

test('every client of the SDK that the product makes is known here', async () => {
  const made = (await constructions()).map(({ file, text }) => `${file} ${text.replace(/\{\n[\s\S]*/, '{ … }')}`);

  expect(made.toSorted()).toEqual(MADE.toSorted());
});

test.each(MADE.filter((line) => !line.startsWith('aws/s3/')).map((line) => line.split(' ')[0] ?? ''))(
  'those of records and secrets in %s give a call up after seconds, and fail then',
  (file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const [, limits = ''] = /^const SOON = \{([^}]*)\};$/m.exec(text) ?? [];
    const value = (key: string) => new RegExp(`\\b${key}: ([\\w]+)`).exec(limits)?.[1]?.replaceAll('_', '');

    expect(Number(value('connectionTimeout'))).toBeLessThanOrEqual(5_000);
    // Three tries of the SDK end before the 29 seconds of an API function do.
    expect(3 * Number(value('requestTimeout'))).toBeLessThan(29_000);
    expect(value('throwOnRequestTimeout')).toBe('true');
    expect(text.match(/requestHandler: SOON/g)?.length).toBe(MADE.filter((line) => line.startsWith(`${file} `)).length);
  },
);

test('that of image bytes gives up a connection that does not come about, and one on which nothing moves', async () => {
  const credentials = async () => ({ accessKeyId: 'test', secretAccessKey: 'test' });
  const client = createS3Client('us-east-1', 'http://127.0.0.1:9', credentials);
  // Its handler reads its settings at the first request; nobody listens there.
  await client.send(new ListBucketsCommand({})).catch(() => undefined);
  const handler = client.config.requestHandler as unknown as {
    httpHandlerConfigs(): Readonly<Record<'connectionTimeout' | 'socketTimeout', number | undefined>>;
  };
  const { connectionTimeout = 0, socketTimeout = 0 } = handler.httpHandlerConfigs();
  client.destroy();

  for (const [limit, most] of [
    [connectionTimeout, 5_000],
    [socketTimeout, 60_000],
  ] as const) {
    expect(limit).toBeGreaterThan(0);
    expect(limit).toBeLessThanOrEqual(most);
  }
});
