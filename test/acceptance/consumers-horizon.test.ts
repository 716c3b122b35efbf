import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { type Account, credentials, type Glimpse, startGlimpse } from '../support/glimpse.ts';
import { type ImageClient, imageClient, type WireImage } from '../support/image-client.ts';
import { isPresent } from './support/consumers.ts';
import { type Dashboard, startDashboard } from './support/dashboard.ts';

/** Debian's dashboard in Chromium, as a person uses it: the panels of images and of metadata definitions. */
const CHROMIUM = process.env['GLIMPSE_CHROMIUM'] ?? '/usr/bin/chromium';
const present = isPresent(
  [CHROMIUM, '/usr/bin/gunicorn', '/var/lib/openstack-dashboard/static'],
  'Debian’s openstack-dashboard, gunicorn and chromium',
);
/** Where pictures of each step are kept, if anywhere. */
const PICTURES = process.env['GLIMPSE_TEST_PICTURES'];

/** What the dashboard says wrong about itself, whatever image service it has. */
const ITS_OWN = [
  // AngularJS 1.8 of Debian has no `lowercase` any more.
  /angular\.lowercase is not a function/,
  /Service type is not enabled: volumev3/,
  // An action that is not allowed is a promise that it rejects with nothing; a refused request is listed by its status.
  /Possibly unhandled rejection: undefined/,
];
const CONTENT = Buffer.from('what a person uploads '.repeat(1000));

describe.skipIf(!present)('Horizon', () => {
  let dir: string;
  let glimpse: Glimpse;
  let images: ImageClient;
  let dashboard: Dashboard;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'glimpse-horizon-'));
    await writeFile(join(dir, 'disk.raw'), CONTENT);
    await writeFile(join(dir, 'namespace.json'), JSON.stringify(NAMESPACE));
    const port = await freePort();
    glimpse = await startGlimpse({ config: { cors_allowed_origins: [`http://127.0.0.1:${port}`] } });
    images = imageClient(glimpse, 'demo');
    dashboard = await startDashboard(port, `${glimpse.url}/identity/v3`);
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-dev-shm-usage'],
    });
  });
  afterAll(async () => {
    await browser?.close();
    await dashboard?.stop();
    await glimpse?.stop();
    await rm(dir, { recursive: true, force: true });
  });
  afterEach(async ({ task }) => {
    if (PICTURES === undefined) return;
    await mkdir(PICTURES, { recursive: true });
    await page.screenshot({ path: join(PICTURES, `${task.name.replaceAll(/\W+/g, '-')}.png`) });
  });

  async function logIn(account: Account): Promise<void> {
    const { OS_USERNAME = '', OS_PASSWORD = '' } = await credentials(glimpse.dataDir, account);
    page = await (await browser.newContext({ viewport: { width: 1400, height: 1000 } })).newPage();
    page.setDefaultTimeout(120_000);
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('response', (response) => {
      if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
    });
    await page.goto(`${dashboard.url}/auth/login/`);
    await page.fill('#id_username', OS_USERNAME);
    await page.fill('#id_password', OS_PASSWORD);
    await page.click('#loginBtn');
    await page.waitForURL('**/project/images**');
  }

  const named = async (name: string): Promise<WireImage | undefined> => {
    const answer = await glimpse.api('demo', 'GET', `/v2/images?name=${encodeURIComponent(name)}`);
    return ((await answer.json()) as { images: WireImage[] }).images[0];
  };
  const rowOf = (name: string): Locator => page.locator('tbody tr').filter({ hasText: name }).first();
  const choose = async (name: string, action: string): Promise<void> => {
    await rowOf(name).locator('.dropdown-toggle').click();
    await rowOf(name).getByText(action, { exact: true }).click();
  };
  /** Modal windows fade: a button is pressed when it stands still, and the window is gone afterwards. */
  const press = async (button: string): Promise<void> => {
    await page.locator('.modal-footer').getByText(button, { exact: true }).click();
    await page.locator('.modal-footer').waitFor({ state: 'detached' });
  };

  it('logs a member in, and lists what there is', async () => {
    await images.create({ name: 'there already', disk_format: 'qcow2' });
    await logIn('demo');

    await rowOf('there already').waitFor();
    await expect.poll(() => rowOf('there already').textContent()).toMatch(/there already[\s\S]*Queued[\s\S]*QCOW2/);
  });

  it('creates an image of a file, which the browser sends to the service itself', async () => {
    await page.getByText('Create Image', { exact: true }).click();
    await page.fill('#imageForm-name', 'of a person');
    const chosen = page.waitForEvent('filechooser');
    await page.click('#imageForm-image_file');
    await (await chosen).setFiles(join(dir, 'disk.raw'));
    await page.selectOption('#imageForm-format', { label: 'Raw' });
    await page.fill('#imageForm-min_disk', '2');
    await page.locator('.modal-footer .finish').click();

    await rowOf('of a person').waitFor();
    await expect.poll(async () => (await named('of a person'))?.status).toBe('active');
    expect(await named('of a person')).toMatchObject({ size: CONTENT.length, disk_format: 'raw', min_disk: 2 });
  });

  it('shows its details', async () => {
    await page.reload();
    await rowOf('of a person').getByRole('link', { name: 'of a person' }).click();

    await expect.poll(() => page.locator('body').textContent()).toContain((await named('of a person'))?.['checksum']);
  });

  it('changes its name, its description and what it needs', async () => {
    await page.goto(`${dashboard.url}/project/images/`);
    await choose('of a person', 'Edit Image');
    await page.locator('.modal-body [name=name]').fill('of a person, again');
    await page.locator('.modal-body [name=description]').fill('for tests');
    await page.locator('.modal-body [name=min_ram]').fill('512');
    await page.locator('.modal-footer .finish').click();

    await rowOf('of a person, again').waitFor();
    expect(await named('of a person, again')).toMatchObject({
      description: 'for tests',
      min_ram: 512,
      status: 'active',
    });
  });

  it('lists the images of all projects to an administrator', async () => {
    await logIn('admin');
    await page.goto(`${dashboard.url}/admin/images/`);

    await rowOf('there already').waitFor();
    await expect.poll(() => rowOf('there already').textContent()).toMatch(/demo[\s\S]*there already/);
  });

  it('sets properties, as the dashboard lets administrators, that the catalog of metadata definitions describes, and others', async () => {
    await page.goto(`${dashboard.url}/admin/images/`);
    await rowOf('of a person, again').waitFor();
    await choose('of a person, again', 'Update Metadata');
    const available = page.locator('.metadata-tree .panel').first();
    const existing = page.locator('.metadata-tree .panel').nth(1);
    await available.locator('input[placeholder]').first().fill('Disk Bus');
    await available.locator('li', { hasText: 'Disk and CD-ROM Bus' }).click();
    await available
      .locator('li', { hasText: /^\s*Disk Bus/ })
      .locator('a.btn')
      .click();
    await existing
      .locator('li', { hasText: /hw_disk_bus|Disk Bus/ })
      .locator('select')
      .selectOption({ label: 'virtio' });
    await available.locator('input[name=customItem]').fill('colour');
    await available.locator('li button').click();
    await existing.locator('li', { hasText: 'colour' }).locator('input').fill('blue');
    await press('Save');

    await expect.poll(() => named('of a person, again')).toMatchObject({ hw_disk_bus: 'virtio', colour: 'blue' });
  });

  it('takes a property away again', async () => {
    await choose('of a person, again', 'Update Metadata');
    const existing = page.locator('.metadata-tree .panel').nth(1);
    await existing.locator('li', { hasText: 'colour' }).locator('a.btn').click();
    await press('Save');

    await expect.poll(() => named('of a person, again')).not.toHaveProperty('colour');
    expect(await named('of a person, again')).toMatchObject({ hw_disk_bus: 'virtio' });
  });

  it('deletes it', async () => {
    await choose('of a person, again', 'Delete Image');
    await press('Delete Image');

    await expect.poll(() => named('of a person, again')).toBeUndefined();
    await rowOf('of a person, again').waitFor({ state: 'detached' });
  });

  it('lists the catalog of metadata definitions, and takes another namespace', async () => {
    await page.goto(`${dashboard.url}/admin/metadata_defs/`);
    await rowOf('Watchdog').waitFor();
    await page.locator('#namespaces__action_import').click();
    await page.setInputFiles('#id_metadef_file', join(dir, 'namespace.json'));
    await page.locator('.modal-footer input[type=submit], .modal-footer .btn-primary').click();

    await rowOf('Of a person').waitFor();
    const answer = await glimpse.api('admin', 'GET', '/v2/metadefs/namespaces/of::person');
    expect(await answer.json()).toMatchObject({ display_name: 'Of a person', visibility: 'private' });
  });

  it('shows a namespace with its properties', async () => {
    await rowOf('Of a person').getByRole('link', { name: 'Of a person' }).click();
    await page.getByText('Contents', { exact: true }).click();

    await expect.poll(() => page.locator('.tab-content').textContent()).toContain('How it feels.');
  });

  it('deletes a namespace', async () => {
    await page.goto(`${dashboard.url}/admin/metadata_defs/`);
    await choose('Of a person', 'Delete Namespace');
    await press('Delete Namespace');

    await rowOf('Of a person').waitFor({ state: 'detached' });
    expect((await glimpse.api('admin', 'GET', '/v2/metadefs/namespaces/of::person')).status).toBe(404);
  });

  it('had nothing to complain of on the way', () => {
    expect(complaints.filter((text) => !ITS_OWN.some((known) => known.test(text)))).toEqual([]);
    expect(dashboard.output()).not.toContain('Traceback');
  });
});

const NAMESPACE = {
  namespace: 'of::person',
  display_name: 'Of a person',
  description: 'What people say of images.',
  resource_type_associations: [{ name: 'OS::Glance::Image', prefix: 'person_' }],
  properties: { mood: { title: 'Mood', description: 'How it feels.', type: 'string', enum: ['fine', 'not so'] } },
};
