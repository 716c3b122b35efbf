import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loginSettings } from '../../../cli/login/clouds.ts';
import { forgetLogin, keepLogin, keptLogin, tokenFile } from '../../../cli/login/token-cache.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glimpse-clouds-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const DEMO = `clouds:
  demo:
    auth: { auth_url: 'http://a/v3', username: demo, project_name: demo, user_domain_name: Default }
    region_name: one
    verify: false
`;
const OTHER = `  other:
    auth: { auth_url: 'http://b/v3', application_credential_id: x }
`;
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

test('a cloud by name says what OS_* variables would', () => {
  write('clouds.yaml', DEMO + OTHER);

  expect(
    loginSettings({ OS_CLOUD: 'demo', OS_PROJECT_NAME: 'of another shell', OS_PASSWORD: 'typed' }, [folder]),
  ).toEqual({
    OS_AUTH_URL: 'http://a/v3',
    OS_USERNAME: 'demo',
    OS_PROJECT_NAME: 'demo',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: 'one',
    OS_PASSWORD: 'typed',
    OS_INSECURE: 'true',
  });
});

test('secure.yaml beside it has the secrets', () => {
  write('clouds.yaml', DEMO + OTHER);
  write('secure.yaml', 'clouds: { other: { auth: { application_credential_secret: s } } }');

  expect(loginSettings({ OS_CLOUD: 'other' }, [folder])).toMatchObject({ OS_APPLICATION_CREDENTIAL_SECRET: 's' });
});

test('the only cloud is meant when nothing else is said, and OS_AUTH_URL says something else', () => {
  write('clouds.yaml', DEMO);

  expect(loginSettings({}, [folder])['OS_USERNAME']).toBe('demo');
  expect(loginSettings({ OS_AUTH_URL: 'http://c' }, [folder])).toEqual({ OS_AUTH_URL: 'http://c' });
});

test('one of several has to be named, and a name that no file has is an error that lists them', () => {
  write('clouds.yaml', DEMO + OTHER);

  expect(loginSettings({}, [folder])).toEqual({});
  expect(() => loginSettings({ OS_CLOUD: 'third' }, [folder])).toThrow('has no cloud third: it has demo, other');
  expect(() => loginSettings({ OS_CLOUD: 'third' }, [join(folder, 'none')])).toThrow('there is no clouds.yaml');
});

test('OS_CLIENT_CONFIG_FILE names the file, and one that is no YAML is named', () => {
  write('mine.yml', '{');

  expect(() => loginSettings({ OS_CLOUD: 'x', OS_CLIENT_CONFIG_FILE: join(folder, 'mine.yml') })).toThrow(
    /mine\.yml cannot be read/,
  );
});

const LOGIN = { token: 't', endpoint: 'http://i', expiresAt: '2026-01-01T01:00:00Z', user: 'demo', project: 'demo' };
const DURING = Date.parse('2026-01-01T00:00:00Z');

test('a token is kept for its user alone, and used until it ends', () => {
  const file = tokenFile(folder, { OS_AUTH_URL: 'http://a' });
  keepLogin(file, LOGIN);

  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'tokens')).mode & 0o777).toBe(0o700);
  expect(keptLogin(file, DURING)).toEqual(LOGIN);
  expect(keptLogin(file, DURING + 3_590_000)).toBeUndefined();
  forgetLogin(file);
  expect(keptLogin(file, DURING)).toBeUndefined();
});

test('who is another, or elsewhere, has another token; a secret is no part of the name', () => {
  const names = [
    { OS_AUTH_URL: 'http://a' },
    { OS_AUTH_URL: 'http://a', OS_USERNAME: 'demo' },
    { OS_AUTH_URL: 'http://a', OS_USERNAME: 'demo', OS_PROJECT_NAME: 'p' },
    { OS_AUTH_URL: 'http://a', OS_APPLICATION_CREDENTIAL_ID: 'c' },
  ].map((settings) => tokenFile(folder, settings));

  expect(new Set(names).size).toBe(names.length);
  expect(tokenFile(folder, { OS_AUTH_URL: 'http://a', OS_PASSWORD: 'p', OS_APPLICATION_CREDENTIAL_SECRET: 's' })).toBe(
    names[0],
  );
});

test('a folder that cannot be written costs nothing but the token', () => {
  write('file', '');
  mkdirSync(join(folder, 'x'));

  expect(() => keepLogin(join(folder, 'file', 'tokens', 'x.json'), LOGIN)).not.toThrow();
});
