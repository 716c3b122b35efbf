import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../core/config.ts';
import { BackendUnavailable, Unauthenticated } from '../../core/errors.ts';
import type { Identity } from '../../core/identity/identity.ts';
import { createKeystoneValidator } from '../../keystone/client.ts';
import { type MovableClock, PASSWORDS } from '../support/identity.ts';
import { type KeystoneStandIn, startKeystoneStandIn } from '../support/keystone.ts';

let keystone: KeystoneStandIn;
let clock: MovableClock;
let identity: Identity;

beforeAll(async () => {
  keystone = await startKeystoneStandIn();
  ({ clock, identity } = keystone);
});
afterAll(() => keystone.close());
beforeEach(() => {
  clock.advance(60_000);
  keystone.forget();
  keystone.instead = undefined;
});

function validator(different: Partial<Config['identity']> = {}) {
  return createKeystoneValidator(keystone.connect(different), keystone.settings(different), clock);
}
async function issue(name: keyof typeof PASSWORDS): Promise<string> {
  const proofs = { password: { user: { name, domain: { id: 'default' } }, password: PASSWORDS[name] } };
  return (await identity.issue({ proofs }, 'test')).id;
}
const lookUps = () => keystone.requests.filter((request) => request.startsWith('GET')).length;
const logIns = () => keystone.requests.filter((request) => request.startsWith('POST')).length;

it.each(['', '/', '/v3', '/v3/'])('says of a token what the service says, at the URL with %j', async (suffix) => {
  const token = await issue('demo');

  const { credential, ...rest } = await validator({ auth_url: `${keystone.settings().auth_url}${suffix}` }).validate(
    token,
  );

  expect({ ...rest, credential }).toEqual(await identity.validate(token));
});

describe('caching', () => {
  it('asks once for requests that come together and for those that follow', async () => {
    const token = await issue('demo');
    const { validate } = validator();

    await Promise.all([validate(token), validate(token), validate(token)]);
    await validate(token);

    expect([logIns(), lookUps()]).toEqual([1, 1]);
  });

  it('asks again after token_cache_time, and then knows of the revocation', async () => {
    const token = await issue('demo');
    const { validate } = validator({ token_cache_time: 30 });
    const found = await validate(token);
    await identity.revokeToken(found, found);

    await expect(validate(token)).resolves.toBeDefined();
    clock.advance(30_000);

    await expect(validate(token)).rejects.toThrow(Unauthenticated);
  });

  it('asks every time when token_cache_time is 0', async () => {
    const token = await issue('demo');
    const { validate } = validator({ token_cache_time: 0 });
    const found = await validate(token);
    await identity.revokeToken(found, found);

    await expect(validate(token)).rejects.toThrow(Unauthenticated);
  });

  it('does not outlive the token', async () => {
    const token = await issue('demo');
    const { validate } = validator({ token_cache_time: 100_000 });
    await validate(token);
    clock.advance(3_600_000);

    await expect(validate(token)).rejects.toThrow('expired');
  });
});

describe('refusals', () => {
  it.each(['nonsense', 'a b', 'line\nbreak', ''])('calls %j unauthenticated', async (token) => {
    await expect(validator().validate(token)).rejects.toThrow(Unauthenticated);
  });

  it('takes an expired token only where asked to', async () => {
    const token = await issue('demo');
    const { validate } = validator();
    clock.advance(3_700_000);

    await expect(validate(token)).rejects.toThrow(Unauthenticated);
    await expect(validate(token, { allowExpired: true })).resolves.toMatchObject({ user: { name: 'demo' } });
  });
});

describe('the service user', () => {
  it('logs in again when its token was revoked or is about to end', async () => {
    const { validate } = validator({ token_cache_time: 0 });
    const token = await issue('demo');
    await validate(token);
    const { user } = await identity.validate(await issue('service'));
    await identity.revokeAll(`user:${user.id}`);

    await validate(token);
    expect(logIns()).toBe(2);
    clock.advance(3_545_000);
    await validate(await issue('alt'));
    expect(logIns()).toBe(3);
  });

  it('with a wrong password makes the service unavailable, and never the user unauthenticated', async () => {
    await expect(validator({ password: 'wrong' }).validate(await issue('demo'))).rejects.toThrow(BackendUnavailable);
  });

  it('without rights to look at tokens makes the service unavailable', async () => {
    const settings = { username: 'alt', password: PASSWORDS.alt, project_name: 'alt' };

    await expect(validator(settings).validate(await issue('demo'))).rejects.toThrow(BackendUnavailable);
  });

  it.each(['auth_url', 'username', 'password'] as const)('needs %s', (key) => {
    expect(() => validator({ [key]: undefined })).toThrow(`identity.${key}`);
  });
});

describe('trouble', () => {
  it.each([
    ['500', (response: ServerResponse) => response.writeHead(500).end('oops')],
    ['no JSON', (response: ServerResponse) => response.writeHead(200).end('<html>')],
    ['no token', (response: ServerResponse) => response.writeHead(200).end('{"token":{}}')],
    ['a redirect', (response: ServerResponse) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    [
      'a broken answer',
      (response: ServerResponse) =>
        response.writeHead(200, { 'content-length': 50 }).write('{', () => response.destroy()),
    ],
    ['a closed connection', (response: ServerResponse) => response.destroy()],
  ])('%s makes the service unavailable and is not remembered', async (_, answer) => {
    const { validate } = validator();
    const token = await issue('demo');
    keystone.instead = answer;

    await expect(validate(token)).rejects.toThrow(BackendUnavailable);
    keystone.instead = undefined;
    await expect(validate(token)).resolves.toBeDefined();
  });

  it('an address where nobody listens makes the service unavailable', async () => {
    await expect(validator({ auth_url: 'http://127.0.0.1:1/v3' }).validate('token')).rejects.toThrow(
      BackendUnavailable,
    );
  });
});
