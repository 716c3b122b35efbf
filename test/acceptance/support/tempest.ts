/** Tempest and its plugins against a running service, by `consumers/tempest_images.py`. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, type Glimpse, runClient } from '../../support/glimpse.ts';
import { QUIET } from './consumers.ts';

export interface TempestRun {
  /** Where Tempest is installed. */
  readonly python: string;
  /** Regular expressions, found in the ids of tests. */
  readonly tests: readonly string[];
  /** Whether content must be what its disk format says: Tempest's own images are random bytes. */
  readonly formatsAreEnforced: boolean;
}

/** By test: `passed`, `skipped: REASON`, `failed: TRACE`. */
export type TempestResults = Readonly<Record<string, string>>;

const MINUTES = 60_000;

/** @throws Error when Tempest itself does not run */
export async function runTempest(glimpse: Glimpse, run: TempestRun): Promise<TempestResults> {
  const dir = await mkdtemp(join(tmpdir(), 'glimpse-tempest-'));
  const disk = join(dir, 'disk.qcow2');
  const quick = { env: process.env, cwd: dir, timeoutMs: MINUTES };
  await runClient('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '10M'], quick);
  const bytes = await readFile(disk);
  const web = createServer((_, response) => response.end(bytes));
  await new Promise<void>((resolve) => {
    web.listen(0, '127.0.0.1', resolve);
  });
  try {
    await mkdir(join(dir, 'locks'));
    const image = `http://127.0.0.1:${(web.address() as AddressInfo).port}/disk.qcow2`;
    await writeFile(join(dir, 'tempest.conf'), await settings(glimpse, dir, image, run.formatsAreEnforced));
    const script = join(import.meta.dirname, 'consumers/tempest_images.py');
    const printed = await runClient(run.python, [script, ...run.tests], {
      env: {
        ...process.env,
        ...QUIET,
        ...{ TEMPEST_CONFIG_DIR: dir, TEMPEST_CONFIG: 'tempest.conf' },
      },
      cwd: dir,
      timeoutMs: 60 * MINUTES,
    });
    return JSON.parse(printed) as TempestResults;
  } finally {
    web.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function settings(glimpse: Glimpse, dir: string, image: string, enforced: boolean): Promise<string> {
  const { OS_AUTH_URL: url, OS_PASSWORD: password } = await credentials(glimpse.dataDir, 'admin');
  return `
[DEFAULT]
log_dir = ${dir}
log_file = tempest.log
[oslo_concurrency]
lock_path = ${dir}/locks
[auth]
use_dynamic_credentials = true
create_isolated_networks = false
admin_username = admin
admin_password = ${password}
admin_project_name = admin
admin_domain_name = Default
admin_system = all
[identity]
auth_version = v3
uri_v3 = ${url}
region = RegionOne
[service_available]
cinder = false
neutron = false
nova = false
swift = false
[enforce_scope]
glance = true
[image]
build_timeout = 300
http_image = ${image}
http_qcow2_image = ${image}
# Every process of the service is behind one address.
alternate_image_endpoint = image
[image-feature-enabled]
import_image = true
os_glance_reserved = true
manage_locations = false
http_store_enabled = false
store_weight_enabled = true
image_format_enforcement = ${enforced}
`;
}
