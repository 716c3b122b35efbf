/** The files that a person sources: what clients of each kind read in them. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { writeCredentials } from '../../../scripts/credentials.ts';

const URL = 'http://127.0.0.1:9292';
const PASSWORDS = { admin: 'of-admin', demo: 'of-demo', alt: 'of-alt', reader: 'of-reader', service: 'of-service' };
let folder: string;
let paths: Awaited<ReturnType<typeof writeCredentials>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glimpse-credentials-'));
  paths = await writeCredentials(folder, URL, 'RegionOne', PASSWORDS);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each([
  ['admin', 'openrc', 'admin'],
  ['demo', 'openrc-demo', 'demo'],
  ['alt', 'openrc-alt', 'alt'],
  ['reader', 'openrc-reader', 'demo'],
] as const)('%s is let in by %s, with the domain as gophercloud reads it, too', async (person, file, project) => {
  expect(paths[person]).toBe(join(folder, file));
  const lines = (await readFile(paths[person], 'utf8')).trim().split('\n');

  const variables = Object.fromEntries(lines.map((line) => /^export (\w+)='(.*)'$/u.exec(line)?.slice(1, 3) ?? []));
  expect(variables).toEqual({
    OS_AUTH_URL: `${URL}/identity/v3`,
    OS_IDENTITY_API_VERSION: '3',
    OS_IMAGE_API_VERSION: '2',
    OS_USERNAME: person,
    OS_PASSWORD: PASSWORDS[person],
    OS_PROJECT_NAME: project,
    OS_REGION_NAME: 'RegionOne',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_DOMAIN_NAME: 'Default',
  });
});

it('clouds.yaml has the same people, and nobody else may read a file', async () => {
  const { clouds } = parse(await readFile(join(folder, 'clouds.yaml'), 'utf8')) as { clouds: Record<string, object> };

  const people = Object.values(clouds).map((cloud) => (cloud as { auth: { username: string } }).auth.username);
  expect([...new Set(people)].toSorted()).toEqual(['admin', 'alt', 'demo', 'reader']);
  for (const file of [...Object.values(paths), join(folder, 'clouds.yaml')])
    expect((await stat(file)).mode & 0o777).toBe(0o600);
});
