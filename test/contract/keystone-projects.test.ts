/** Projects looked up at an existing Keystone, for files that are dropped for them. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { BackendUnavailable } from '../../core/errors.ts';
import { baseId } from '../../core/identity/base-ids.ts';
import { createProjectLookup } from '../../keystone/projects.ts';
import { PASSWORDS } from '../support/identity.ts';
import { answerJson, type KeystoneStandIn, startKeystoneStandIn } from '../support/keystone.ts';

const ADMIN = { username: 'admin', password: PASSWORDS.admin, project_name: 'admin' };
const DEMO = { id: baseId('project', 'demo'), name: 'demo', domainId: 'default', enabled: true };

let keystone: KeystoneStandIn;
beforeAll(async () => {
  keystone = await startKeystoneStandIn();
});
afterAll(() => keystone.close());
beforeEach(() => {
  keystone.clock.advance(60_000);
  keystone.forget();
  keystone.instead = undefined;
});

const lookup = (account: object = ADMIN) => createProjectLookup(keystone.connect(account), keystone.clock);
const lookUps = () => keystone.requests.filter((request) => request.includes('/projects'));

it.each([DEMO.id, DEMO.name])('finds %s', async (idOrName) => {
  expect(await lookup()(idOrName)).toEqual(DEMO);
});

it.each(['nobody', '..', 'a/b', '?name=demo', 'dé mo', 'x'.repeat(300)])('knows no %j', async (idOrName) => {
  expect(await lookup()(idOrName)).toBeUndefined();
});

it('asks once for what comes within seconds, and then again', async () => {
  const find = lookup();

  await Promise.all([find('demo'), find('demo')]);
  await find('demo');
  expect(lookUps()).toHaveLength(2); // by id, by name
  keystone.clock.advance(10_000);
  await find('demo');

  expect(lookUps()).toHaveLength(4);
});

it('says that a project is disabled', async () => {
  keystone.instead = (response, { url = '' }) =>
    url.includes('/projects/') &&
    answerJson(response, { project: { id: DEMO.id, name: 'demo', domain_id: 'default', enabled: false } });

  expect(await lookup()(DEMO.id)).toMatchObject({ enabled: false });
});

it('takes no project of another case for the one that was named, and no domain for a project', async () => {
  const named = { id: 'p', name: 'DEMO', domain_id: 'default' };
  keystone.instead = (response, { url = '' }) => url.includes('?name=') && answerJson(response, { projects: [named] });
  expect(await lookup()('demo')).toBeUndefined();

  keystone.instead = (response, { url = '' }) =>
    url.includes('/projects/') && answerJson(response, { project: { ...named, domain_id: null, is_domain: true } });
  expect(await lookup()('p')).toBeUndefined();
});

it('does not call a project unknown because Keystone is away, or refuses to say', async () => {
  const find = lookup();
  keystone.instead = (response) => response.writeHead(500).end();
  await expect(find('demo')).rejects.toThrow(BackendUnavailable);
  keystone.instead = undefined;
  expect(await find('demo')).toEqual(DEMO);

  const { username, password, project_name } = { username: 'alt', password: PASSWORDS.alt, project_name: 'alt' };
  await expect(lookup({ username, password, project_name })('demo')).rejects.toThrow(BackendUnavailable);
});
