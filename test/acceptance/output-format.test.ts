import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ext4Disk, md5Of, qemuImage } from '../support/disks.ts';
import { type Glimpse, settled, startGlimpse } from '../support/glimpse.ts';

const run = promisify(execFile);

const QEMU_NAMES: Readonly<Record<string, string>> = { vhd: 'vpc' };
/** Formats that `qemu-img check` knows how to check. */
const CHECKED = ['qcow2', 'vhdx'];

let dir: string;
let raw: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'glimpse-output-'));
  raw = await ext4Disk(dir, 'guest', 128, 40);
  await qemuImage(raw, join(dir, 'disk.qcow2'), 'qcow2', ['-c']);
  await qemuImage(raw, join(dir, 'disk.vmdk'), 'vmdk', ['-o', 'subformat=streamOptimized']);
});

afterAll(() => rm(dir, { recursive: true, force: true }));

/** `glance image-create-via-import` of a file into two stores; the image as it ended. */
async function imported(glimpse: Glimpse, file: string, format: string): Promise<Record<string, unknown>> {
  const table = await glimpse.client('demo', 'glance', [
    ...['image-create-via-import', '--import-method', 'glance-direct', '--stores', 'central,dcn0'],
    ...['--name', 'converted', '--disk-format', format, '--container-format', 'bare', '--file', file],
  ]);
  return settled(glimpse, 'demo', /\| id +\| (\S+)/u.exec(table)?.[1] ?? '');
}

describe.each([
  { title: 'raw to qcow2', file: 'guest.raw', from: 'raw', settings: { output_format: 'qcow2' } },
  {
    title: 'vmdk to compressed qcow2',
    file: 'disk.vmdk',
    from: 'vmdk',
    settings: { output_format: 'qcow2', compression: 'zstd' },
  },
  { title: 'qcow2 to vmdk', file: 'disk.qcow2', from: 'qcow2', settings: { output_format: 'vmdk' } },
  { title: 'qcow2 to vhd', file: 'disk.qcow2', from: 'qcow2', settings: { output_format: 'vhd' } },
  {
    title: 'vmdk to fixed vhd',
    file: 'disk.vmdk',
    from: 'vmdk',
    settings: { output_format: 'vhd', subformat: 'fixed', whole_mib: true },
  },
  { title: 'raw to vhdx', file: 'guest.raw', from: 'raw', settings: { output_format: 'vhdx' } },
])('image_conversion with another output_format: $title', ({ file, from, settings }) => {
  let glimpse: Glimpse;
  beforeAll(async () => {
    glimpse = await startGlimpse({
      config: { image_import_plugins: ['image_conversion'], image_conversion: settings },
    });
  });
  afterAll(() => glimpse?.stop());

  it('gives what qemu-img finds whole and equal to the source', async () => {
    const image = await imported(glimpse, join(dir, file), from);
    const result = join(dir, `result.${settings.output_format}`);
    await glimpse.client('demo', 'glance', ['image-download', '--file', result, String(image['id'])]);

    expect(image).toMatchObject({
      status: 'active',
      disk_format: settings.output_format,
      container_format: 'bare',
      stores: 'central,dcn0',
      virtual_size: 128 * 1024 ** 2,
      size: (await stat(result)).size,
      checksum: await md5Of(result),
      ...(settings.output_format === 'vmdk' ? { vmware_disktype: 'streamOptimized' } : {}),
    });
    const format = QEMU_NAMES[settings.output_format] ?? settings.output_format;
    const { stdout } = await run('qemu-img', ['compare', '-f', 'raw', '-F', format, raw, result]);
    expect(stdout).toContain('Images are identical.');
    if (CHECKED.includes(format)) await run('qemu-img', ['check', '-f', format, result]);
  });
});
