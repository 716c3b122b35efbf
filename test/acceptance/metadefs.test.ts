import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Account, credentials, type Glimpse, startGlimpse } from '../support/glimpse.ts';

const ROOT = join(import.meta.dirname, '../..');
const CATALOG = join(ROOT, 'etc/metadefs');
let glimpse: Glimpse;
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'glimpse-metadefs-'));
  glimpse = await startGlimpse();
});
afterAll(async () => {
  await glimpse.stop();
  await rm(scratch, { recursive: true, force: true });
});

const glance = (...args: string[]) => glimpse.client('admin', 'glance', args);

/** Our own command line as a person runs it; resolves with the exit code. */
async function cli(account: Account, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { ...process.env, ...(await credentials(glimpse.dataDir, account)) };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['cli/bin.mjs', ...args], {
      cwd: ROOT,
      env,
    });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

async function namespaces(account: Account = 'admin'): Promise<string[]> {
  const answer = await glimpse.api(account, 'GET', '/v2/metadefs/namespaces?limit=200&sort_key=namespace&sort_dir=asc');
  const { namespaces: found } = (await answer.json()) as { namespaces: { namespace: string }[] };
  return found.map(({ namespace }) => namespace);
}

/** Loading begins behind the greeting. */
async function loaded(account: Account = 'demo'): Promise<void> {
  const { length } = await readdir(CATALOG);
  await expect.poll(async () => (await namespaces(account)).length).toBe(length);
}

test('the standard catalog is there at once, for everybody, and does not slow the start', async () => {
  await loaded();
  const text = await glimpse.client('demo', 'glance', ['md-namespace-show', 'OS::Compute::Watchdog']);
  expect(text).toContain('Watchdog');
  expect(glimpse.output()).not.toContain('could not be loaded');
});

describe('every md command of the glance client', () => {
  test('namespaces', async () => {
    const created = await glance(
      ...['md-namespace-create', 'My::Space', '--display-name', 'Mine', '--description', 'd', '--visibility', 'public'],
    );
    expect(created).toContain('My::Space');
    expect(await glance('md-namespace-show', 'My::Space')).toContain('Mine');
    expect(await glance('md-namespace-list')).toContain('OS::Compute::Watchdog');
    expect(await glance('md-namespace-list', '--visibility', 'private')).not.toContain('My::Space');
    expect(await glance('md-namespace-list', '--resource-types', 'OS::Glance::Image', '--page-size', '5')).toContain(
      'OS::OperatingSystem',
    );
    const updated = await glance('md-namespace-update', 'My::Space', '--protected', 'True', '--display-name', 'New');
    expect(updated).toContain('New');
    await expect(glance('md-namespace-delete', 'My::Space')).rejects.toThrow(/403|protected/);
    await glance('md-namespace-update', 'My::Space', '--protected', 'False', '--namespace', 'My::Other');
    await glance('md-namespace-update', 'My::Other', '--namespace', 'My::Space');

    const file = join(scratch, 'import.json');
    await writeFile(file, JSON.stringify({ namespace: 'My::Imported', tags: [{ name: 't' }] }));
    expect(await glance('md-namespace-import', '--file', file)).toContain('My::Imported');
    await glance('md-namespace-delete', 'My::Imported');
  });

  test('properties', async () => {
    const schema = JSON.stringify({ type: 'integer', title: 'Cores', minimum: 1, default: 2 });
    expect(
      await glance('md-property-create', 'My::Space', '--name', 'cores', '--title', 'Cores', '--schema', schema),
    ).toContain('cores');
    expect(await glance('md-property-list', 'My::Space')).toContain('integer');
    expect(await glance('md-property-show', 'My::Space', 'cores')).toContain('Cores');
    await glance('md-property-update', 'My::Space', 'cores', '--title', 'More', '--name', 'cpus');
    expect(await glance('md-property-show', 'My::Space', 'cpus')).toContain('More');
    await glance('md-property-delete', 'My::Space', 'cpus');
    await glance('md-property-create', 'My::Space', '--name', 'x', '--title', 'X', '--schema', '{"type":"string"}');
    await glance('md-namespace-properties-delete', 'My::Space');
    expect(await glance('md-property-list', 'My::Space')).not.toContain('string');
  });

  test('objects', async () => {
    const schema = JSON.stringify({ properties: { a: { title: 'A', type: 'string' } }, required: ['a'] });
    expect(await glance('md-object-create', 'My::Space', '--name', 'limits', '--schema', schema)).toContain('limits');
    expect(await glance('md-object-list', 'My::Space')).toContain('limits');
    expect(await glance('md-object-show', 'My::Space', 'limits')).toContain('limits');
    expect(await glance('md-object-property-show', 'My::Space', 'limits', 'a')).toContain('string');
    await glance('md-object-update', 'My::Space', 'limits', '--name', 'bounds');
    expect(await glance('md-object-show', 'My::Space', 'bounds')).toContain('bounds');
    await glance('md-object-delete', 'My::Space', 'bounds');
    await glance('md-object-create', 'My::Space', '--name', 'o', '--schema', '{}');
    await glance('md-namespace-objects-delete', 'My::Space');
    expect(await glance('md-object-list', 'My::Space')).not.toContain('| o ');
  });

  test('tags', async () => {
    await glance('md-tag-create', 'My::Space', '--name', 'a');
    await glance('md-tag-update', 'My::Space', 'a', '--name', 'b');
    expect(await glance('md-tag-show', 'My::Space', 'b')).toContain('b');
    // With --append this release fails before it sends anything: its header value is no text. The contract test appends.
    await expect(glance('md-tag-create-multiple', 'My::Space', '--names', 'c', '--append')).rejects.toThrow(
      'expected bytes',
    );
    await glance('md-tag-create-multiple', 'My::Space', '--names', 'e:f', '--delim', ':');
    const tags = await glance('md-tag-list', 'My::Space');
    expect(tags).toMatch(/\| e +\|/);
    expect(tags).not.toMatch(/\| b +\|/);
    await glance('md-tag-delete', 'My::Space', 'e');
    await glance('md-namespace-tags-delete', 'My::Space');
    expect(await glance('md-tag-list', 'My::Space')).not.toMatch(/\| f +\|/);
  });

  test('resource types', async () => {
    await glance('md-resource-type-associate', 'My::Space', '--name', 'OS::Mine', '--prefix', 'my_');
    expect(await glance('md-namespace-resource-type-list', 'My::Space')).toContain('my_');
    expect(await glance('md-resource-type-list')).toContain('OS::Mine');
    await glance('md-namespace-show', 'My::Space', '--resource-type', 'OS::Mine');
    await glance('md-resource-type-deassociate', 'My::Space', 'OS::Mine');
    expect(await glance('md-resource-type-list')).toContain('OS::Mine');
    await glance('md-namespace-delete', 'My::Space');
  });

  test('openstack image metadef', async ({ skip }) => {
    const help = await glimpse.client('admin', 'openstack', ['--help']);
    skip(!help.includes('image metadef'), 'this release of the client has no such command');
    expect(await glimpse.client('admin', 'openstack', ['image', 'metadef', 'namespace', 'list'])).toContain('OS::');
  });
});

describe('glimpse metadefs', () => {
  test('load → export → load → export gives the files that were loaded', async () => {
    const read = async (directory: string) =>
      Promise.all(
        (await readdir(directory))
          .toSorted()
          .map(async (name) => [name, await readFile(join(directory, name), 'utf8')]),
      );
    const first = join(scratch, 'first');
    const second = join(scratch, 'second');

    expect((await cli('admin', 'metadefs', 'export', first)).code).toBe(0);
    expect(await read(first)).toEqual(await read(CATALOG));
    expect((await cli('admin', 'metadefs', 'unload')).code).toBe(0);
    expect(await namespaces()).toEqual([]);
    const types = await glimpse.api('admin', 'GET', '/v2/metadefs/resource_types');
    expect(await types.json()).toEqual({ resource_types: [] });
    const again = await cli('admin', 'metadefs', 'load', first);
    expect(again).toMatchObject({ code: 0, err: '' });
    expect(again.out).toMatch(/^\[1\/\d+\] \S+ created$/m);
    await cli('admin', 'metadefs', 'export', second);
    expect(await read(second)).toEqual(await read(CATALOG));
  });

  test('the four ways to meet what exists', async () => {
    const file = join(scratch, 'one.json');
    const write = (body: object) => writeFile(file, JSON.stringify({ namespace: 'One', protected: true, ...body }));
    const load = async (...options: string[]) => {
      const { code, out, err } = await cli('admin', 'metadefs', 'load', file, ...options);
      expect(code, err).toBe(0);
      return out.trim().split(' ').at(-1);
    };
    const shown = async () =>
      (await (await glimpse.api('admin', 'GET', '/v2/metadefs/namespaces/One')).json()) as object;
    const p = (title: string) => ({ title, type: 'string' });

    await write({ description: 'old', properties: { a: p('old') }, resource_type_associations: [{ name: 'R' }] });
    expect(await load()).toBe('created');
    await write({
      description: 'new',
      properties: { a: p('new'), b: p('b') },
      objects: [{ name: 'o', properties: {} }],
      tags: [{ name: 't' }],
      resource_type_associations: [{ name: 'R', prefix: 'r_' }],
    });
    expect(await load()).toBe('skipped');
    expect(await load('--merge')).toBe('merged');
    expect(await shown()).toMatchObject({
      description: 'old',
      properties: { a: p('old'), b: p('b') },
      objects: [{ name: 'o' }],
      tags: [{ name: 't' }],
      resource_type_associations: [{ name: 'R' }],
    });
    expect(await load('--merge')).toBe('unchanged');
    expect(await load('--prefer-new')).toBe('merged');
    expect(await shown()).toMatchObject({
      description: 'new',
      protected: true,
      properties: { a: p('new') },
      resource_type_associations: [{ name: 'R', prefix: 'r_' }],
    });
    expect(await load('--prefer-new')).toBe('unchanged');
    await write({ tags: [{ name: 'only' }] });
    expect(await load('--overwrite')).toBe('overwritten');
    expect(await shown()).not.toHaveProperty('properties');
    expect((await cli('admin', 'metadefs', 'load', file, '--prefer-new', '--overwrite')).code).toBe(2);
  });

  test('a bad file names file, place and reason, and keeps the others from nothing', async () => {
    const directory = await mkdtemp(join(scratch, 'bad-'));
    await writeFile(join(directory, 'a.json'), '{"namespace": "A", "tags": [');
    const property = { title: 't', type: 'text' };
    await writeFile(join(directory, 'b.json'), JSON.stringify({ namespace: 'B', properties: { p: property } }));
    await writeFile(join(directory, 'c.json'), JSON.stringify({ namespace: 'C' }));

    const { code, out, err } = await cli('admin', 'metadefs', 'load', directory);

    expect(code).toBe(3);
    expect(out).toBe('[3/3] C created\n');
    expect(err).toMatch(/a\.json: .*JSON/);
    expect(err).toMatch(/b\.json: .*'properties\.p\.type'/);
    expect(await namespaces()).not.toContain('B');
    expect((await cli('admin', 'metadefs', 'load', join(scratch, 'missing'))).code).toBe(1);
    expect((await cli('demo', 'metadefs', 'load', join(directory, 'c.json'), '--overwrite')).code).toBe(3);
  });
});

test('glimpse image lint names values and names that are probably slips', async () => {
  const image = await glimpse.api('demo', 'POST', '/v2/images', {
    body: {
      name: 'to lint',
      hw_disk_bus: 'virtoi',
      hw_vif_modle: 'virtio',
      hw_cpu_cores: 'four',
      architecture: 'x86_64',
      os_distro: 'ubuntu',
      mine: 'own',
    },
    headers: { 'content-type': 'application/json' },
  });
  expect(image.status).toBe(201);

  const { code, out } = await cli('demo', 'image', 'lint', 'to lint');

  expect(code).toBe(3);
  const lines = out.trim().split('\n');
  expect(lines).toEqual([
    expect.stringMatching(/^hw_cpu_cores: "four" is not a whole number/),
    expect.stringMatching(/^hw_disk_bus: "virtoi" is not one of .*Did you mean virtio\?$/),
    expect.stringMatching(/^hw_vif_modle is not in the catalog.*Did you mean hw_vif_model\?$/),
    'mine is not in the catalog',
  ]);
  const { id } = (await image.json()) as { id: string };
  const json = await cli('demo', 'image', 'lint', id, '--json');
  expect(JSON.parse(json.out.split('\n')[2] ?? '')).toMatchObject({ kind: 'name', suggestion: 'hw_vif_model' });
  expect((await cli('demo', 'image', 'lint', 'no such image')).code).toBe(1);
});

test('glimpse image lint names kernels that are gone, and those that others boot with', async () => {
  const create = async (body: Readonly<Record<string, string>>) => {
    const image = await glimpse.api('demo', 'POST', '/v2/images', {
      body,
      headers: { 'content-type': 'application/json' },
    });
    return ((await image.json()) as { id: string }).id;
  };
  const kernel = await create({ name: 'a kernel', disk_format: 'aki', container_format: 'aki' });
  const booted = await create({ name: 'boots', kernel_id: kernel });
  const inUse = await cli('demo', 'image', 'lint', 'a kernel');
  const whole = await cli('demo', 'image', 'lint', 'boots');

  await glimpse.client('demo', 'openstack', ['image', 'delete', kernel]);
  const gone = await cli('demo', 'image', 'lint', 'boots');
  const all = await cli('demo', 'image', 'lint', '--json');

  expect(inUse).toMatchObject({
    code: 0,
    out: `images that boot with it (kernel_id): ${booted}\n`,
  });
  expect(whole).toMatchObject({ code: 0, out: '' });
  expect(gone).toMatchObject({ code: 3, out: `kernel_id: there is no image ${kernel}: servers will not boot\n` });
  expect(all.code).toBe(3);
  expect(
    all.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toContainEqual(expect.objectContaining({ image: booted, kind: 'gone', property: 'kernel_id', value: kernel }));
});

test('the standard catalog survives kill -9 while it is being loaded', async () => {
  const dataDir = await mkdtemp(join(scratch, 'data-'));
  const first = await startGlimpse({ dataDir });
  const children = (await promisify(execFile)('pgrep', ['-P', String(first.pid)])).stdout
    .trim()
    .split('\n')
    .map(Number);
  await first.kill();
  await expect.poll(() => children.filter(isAlive), { timeout: 10_000 }).toEqual([]);
  const second = await startGlimpse({ dataDir });
  const before = glimpse;
  glimpse = second;
  try {
    await loaded();
  } finally {
    glimpse = before;
    await second.stop();
  }
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
