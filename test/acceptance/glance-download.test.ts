/** Two services side by side, each a region of one catalog: images go from one to the other, as Debian's clients ask for it. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { md5Of } from '../support/disks.ts';
import { credentials, type Glimpse, runClient, settled, startGlimpse } from '../support/glimpse.ts';

/** Debian's, which has Debian's clients. */
const PYTHON = '/usr/bin/python3';
/** Two at once on a machine that does much else. */
const PATIENT = { readyWithinMs: 230_000 };
const METHODS = ['glance-direct', 'web-download', 'copy-image', 'glance-download'];
const REGIONS = ['RegionOne', 'RegionTwo'] as const;
type Region = (typeof REGIONS)[number];

/** The commands of glanceclient 4.1 never pass the region on (its `image-import` asks for `--remote-region` again): its library does. */
const IMPORT = `
import os, sys
from keystoneauth1 import loading, session
from glanceclient import Client
env = {name: os.environ['OS_' + name.upper()] for name in (
    'auth_url', 'username', 'password', 'project_name', 'user_domain_name', 'project_domain_name')}
auth = loading.get_plugin_loader('password').load_from_options(**env)
glance = Client('2', session=session.Session(auth=auth), region_name=os.environ['OS_REGION_NAME'])
image = glance.images.create(name='fetched', disk_format='qcow2', container_format='bare')
glance.images.image_import(image.id, 'glance-download', remote_region=sys.argv[1], remote_image_id=sys.argv[2],
                           remote_service_interface='public')
print(image.id)
`;

let dir: string;
let services: Record<Region, Glimpse>;
let disk: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'glimpse-regions-'));
  disk = join(dir, 'disk.raw');
  await writeFile(disk, randomBytes(2 * 1024 * 1024));
  const port = await freePort();
  const common = { enabled_import_methods: METHODS, image_import_plugins: [] };
  const peers = [{ region: 'RegionTwo', image_url: `http://127.0.0.1:${port}` }];
  const one = await startGlimpse({ ...PATIENT, config: { ...common, identity: { peer_regions: peers } } });
  const { passwords } = JSON.parse(await readFile(join(one.dataDir, 'secrets.json'), 'utf8')) as {
    passwords: { service: string };
  };
  const identity = {
    ...{ mode: 'keystone', auth_url: `${one.url}/identity/v3`, token_cache_time: 0 },
    ...{ username: 'service', password: passwords.service, project_name: 'service' },
  };
  const two = await startGlimpse({ ...PATIENT, port, config: { ...common, region_name: 'RegionTwo', identity } });
  services = { RegionOne: one, RegionTwo: two };
});
afterAll(async () => {
  await services?.RegionTwo.stop();
  await services?.RegionOne.stop();
  await rm(dir, { recursive: true, force: true });
});

/** A client command of `who` at a region; the catalog says where that is. */
async function client(who: 'demo' | 'alt', region: Region, command: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, ...(await credentials(services.RegionOne.dataDir, who)), OS_REGION_NAME: region };
  return runClient(command, args, { env, cwd: dir, timeoutMs: 120_000 });
}

/** The image at a region, asked with a token of the one identity service, once nothing holds it. */
async function imageAt(who: 'demo' | 'alt', region: Region, id: string): Promise<Record<string, unknown>> {
  const token = await services.RegionOne.token(who);
  const api: Glimpse['api'] = (_account, method, path) =>
    fetch(services[region].url + path, { method, headers: { 'x-auth-token': token } });
  return settled({ ...services[region], api }, who, id, PATIENT.readyWithinMs);
}

async function taskOf(who: 'demo' | 'alt', region: Region, id: string): Promise<Record<string, unknown>> {
  const headers = { 'x-auth-token': await services.RegionOne.token(who) };
  const answer = await fetch(`${services[region].url}/v2/images/${id}/tasks`, { headers });
  const { tasks } = (await answer.json()) as { tasks: Record<string, unknown>[] };
  return tasks[0] ?? {};
}

async function uploaded(who: 'demo' | 'alt', region: Region): Promise<string> {
  const formats = ['--disk-format', 'raw', '--container-format', 'bare'];
  const properties = ['--property', 'os_distro=debian', '--property', 'not_taken=x'];
  const args = ['image', 'create', '--file', disk, ...formats, ...properties, 'theirs', '-f', 'value', '-c', 'id'];
  return (await client(who, region, 'openstack', ...args)).trim();
}

const fetched = async (who: 'demo' | 'alt', region: Region, from: Region, id: string): Promise<string> =>
  (await client(who, region, PYTHON, '-c', IMPORT, from, id)).trim();

describe('glance-download', () => {
  it.each(REGIONS)('is among the methods that %s lists', async (region) => {
    expect(await client('demo', region, 'glance', 'import-info')).toContain('glance-download');
  });

  it.each([
    ['RegionOne', 'RegionTwo'],
    ['RegionTwo', 'RegionOne'],
  ] as const)('fetches into %s what is in %s', async (region, from) => {
    const theirs = await uploaded('demo', from);

    const ours = await fetched('demo', region, from, theirs);

    const image = await imageAt('demo', region, ours);
    expect(image).toMatchObject({
      ...{ name: 'fetched', status: 'active', disk_format: 'raw', os_distro: 'debian' },
      ...{ checksum: await md5Of(disk), os_glance_failed_import: '' },
    });
    expect(image).not.toHaveProperty('not_taken');
    const saved = join(dir, `${region}.out`);
    await client('demo', region, 'openstack', 'image', 'save', '--file', saved, ours);
    expect(await md5Of(saved)).toBe(await md5Of(disk));
    const task = await taskOf('demo', region, ours);
    expect(task).toMatchObject({ status: 'success' });
    expect(JSON.stringify(task)).not.toContain(await services.RegionOne.token('demo'));
  });

  it('does not fetch what its caller may not see there', async () => {
    const theirs = await uploaded('demo', 'RegionTwo');

    const ours = await fetched('alt', 'RegionOne', 'RegionTwo', theirs);

    expect(await imageAt('alt', 'RegionOne', ours)).toMatchObject({ status: 'queued', disk_format: 'qcow2' });
    expect((await taskOf('alt', 'RegionOne', ours))['message']).toBe(
      `${services.RegionTwo.url}/v2/images/${theirs} answered 404 Not Found`,
    );
  });

  it('fails at a region that the catalog does not have', async () => {
    const ours = await fetched('demo', 'RegionOne', 'Atlantis' as Region, '20000000-0000-4000-8000-000000000002');

    expect(await imageAt('demo', 'RegionOne', ours)).toMatchObject({ status: 'queued' });
    expect((await taskOf('demo', 'RegionOne', ours))['message']).toContain("public endpoint in region 'Atlantis'");
  });
});
