/**
 * Every format, by upload and by import, without plugins, with each of them alone and with all together: what is stored is what arrived,
 * or its disk as raw where that is converted. The plugins are those that the configuration knows; the images are the corpus's where that is at hand.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Config } from '../../core/config.ts';
import { type FormatName, traitsOf } from '../../formats/catalog.ts';
import { converted } from '../support/converted.ts';
import { type Glimpse, settled, startGlimpse } from '../support/glimpse.ts';
import { rawDisk } from '../support/raw-disk.ts';

const PLUGINS: readonly string[] = Config.shape.image_import_plugins.unwrap().element.options;
const CORPUS = join(import.meta.dirname, '../../../shared/corpus');

interface Sample {
  readonly format: string;
  readonly bytes: Buffer;
  /** SHA-256 of the disk in it, as raw. */
  readonly disk: string;
}

/** One of each format in the corpus, small ones. */
const CORPUS_SAMPLES = [
  ...[
    'raw/odd.raw',
    'qcow2/v3.qcow2',
    'vmdk/sparse-ide.vmdk',
    'vhd/dynamic.vhd',
    'vhdx/dynamic.vhdx',
    'vdi/dynamic.vdi',
  ],
  ...['ploop/v2.hdd', 'iso/plain.iso', 'ova/single.ova', 'docker/save-classic.tar'],
  ...['ami/vmlinuz.aki', 'ami/initrd.ari', 'ami/disk.ami'],
];

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

interface ManifestRow {
  readonly name: string;
  readonly file: string;
  readonly format: string;
  readonly raw_sha256: string;
}

async function corpusSamples(): Promise<Sample[] | undefined> {
  const text = await readFile(join(CORPUS, 'manifest.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { files } = JSON.parse(text) as { readonly files: readonly ManifestRow[] };
  const wanted = files.filter(({ name }) => CORPUS_SAMPLES.includes(name));
  return Promise.all(
    wanted.map(async ({ file, format, raw_sha256: disk }) => ({
      ...{ format, disk, bytes: gunzipSync(await readFile(join(CORPUS, file))) },
    })),
  );
}

async function ownSamples(): Promise<Sample[]> {
  process.stdout.write('without the corpus (../shared/corpus): raw, qcow2 and vmdk of our own only\n');
  const raw = rawDisk(2 * 2 ** 20);
  const disk = sha256(raw);
  const qcow2 = await converted(raw, { target: 'qcow2' });
  const vmdk = await converted(raw, { target: 'vmdk' });
  return Object.entries({ raw, qcow2, vmdk }).map(([format, bytes]) => ({ format, bytes, disk }));
}

const SAMPLES = (await corpusSamples()) ?? (await ownSamples());
const FORMATS = SAMPLES.map(({ format }) => format);
const sampleOf = (format: string): Sample => SAMPLES.find((sample) => sample.format === format) as Sample;

/** What an image of a format is declared to be. */
function declared(format: string): { readonly disk_format: string; readonly container_format: string } {
  const { glance } = traitsOf(format as FormatName);
  if (glance === undefined || 'disk' in glance) return { disk_format: format, container_format: 'bare' };
  return { disk_format: glance.holds ?? 'raw', container_format: glance.container };
}

const isConverted = (format: string, plugins: readonly string[]): boolean => {
  const { convertible, kept } = traitsOf(format as FormatName);
  return plugins.includes('image_conversion') && convertible === true && kept !== true;
};

type Wire = Readonly<Record<string, unknown>>;

async function send(glimpse: Glimpse, format: string, bytes: Buffer, how: 'file' | 'stage'): Promise<Wire> {
  const created = await glimpse.api('demo', 'POST', '/v2/images', { body: { name: format, ...declared(format) } });
  const { id } = (await created.json()) as { readonly id: string };
  const headers = { 'content-type': 'application/octet-stream' };
  const sent = await glimpse.api('demo', 'PUT', `/v2/images/${id}/${how}`, { body: bytes, headers });
  expect(sent.status, await sent.text()).toBe(204);
  if (how === 'file') return settled(glimpse, 'demo', id);
  const body = { method: { name: 'glance-direct' }, stores: ['central'] };
  expect((await glimpse.api('demo', 'POST', `/v2/images/${id}/import`, { body })).status).toBe(202);
  return settled(glimpse, 'demo', id);
}

/** Why the last import of an image ended as it did. */
async function messageOf(glimpse: Glimpse, { id }: Wire): Promise<string> {
  const { tasks } = (await (await glimpse.api('demo', 'GET', `/v2/images/${String(id)}/tasks`)).json()) as {
    readonly tasks: readonly { readonly message: string }[];
  };
  return tasks[0]?.message ?? 'there is no task';
}

async function downloaded(glimpse: Glimpse, { id }: Wire): Promise<string> {
  const answer = await glimpse.api('demo', 'GET', `/v2/images/${String(id)}/file`);
  expect(answer.status).toBe(200);
  return sha256(Buffer.from(await answer.arrayBuffer()));
}

/** All together are walked for every change, each alone by .ci/full. */
const IS_CORE = process.env['GLIMPSE_TEST_CORE'] !== undefined;
if (IS_CORE) process.stdout.write('GLIMPSE_TEST_CORE is set: plugins are walked all together only, not each alone\n');

const SETS: readonly (readonly string[])[] = IS_CORE ? [PLUGINS] : [[], ...PLUGINS.map((plugin) => [plugin]), PLUGINS];

describe.each(SETS.map((plugins) => ({ plugins, title: plugins.join(', ') || 'none' })))(
  'plugins: $title',
  ({ plugins }) => {
    let glimpse: Glimpse;
    beforeAll(async () => {
      glimpse = await startGlimpse({
        config: {
          ...{ hashing_algorithm: 'sha256', image_import_plugins: plugins },
          inject_metadata_properties: { inject: { walked: 'yes' } },
        },
      });
    });
    afterAll(() => glimpse?.stop());

    it.each(FORMATS)('%s by upload', async (format) => {
      const { bytes } = sampleOf(format);

      const image = await send(glimpse, format, bytes, 'file');

      expect(image).toMatchObject({ status: 'active', size: bytes.length, ...declared(format) });
      expect(image['os_hash_value']).toBe(sha256(bytes));
      expect(image['walked']).toBeUndefined();
    });

    it.each(FORMATS)('%s by import', async (format) => {
      const { bytes, disk } = sampleOf(format);
      const isRaw = isConverted(format, plugins);

      const image = await send(glimpse, format, bytes, 'stage');

      expect(image, await messageOf(glimpse, image)).toMatchObject({
        ...{ status: 'active', os_glance_failed_import: '', stores: 'central' },
        ...declared(isRaw ? 'raw' : format),
      });
      expect(image['os_hash_value']).toBe(isRaw ? disk : sha256(bytes));
      expect(await downloaded(glimpse, image)).toBe(image['os_hash_value']);
      expect(image['walked']).toBe(plugins.includes('inject_image_metadata') ? 'yes' : undefined);
    });

    it('a qcow2 in gzip by import', async () => {
      const { bytes, disk } = sampleOf('qcow2');

      const image = await send(glimpse, 'qcow2', gzipSync(bytes), 'stage');

      const message = await messageOf(glimpse, image);
      if (plugins.includes('image_decompression')) {
        expect(image, message).toMatchObject({ status: 'active' });
        expect(image['os_hash_value']).toBe(isConverted('qcow2', plugins) ? disk : sha256(bytes));
      } else {
        expect(image['status']).toBe('queued');
        expect(message).toContain('image_decompression');
      }
    });
  },
);
