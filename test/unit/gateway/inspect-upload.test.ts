import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { ImageReader } from '../../../bytes/stored-image.ts';
import { parseConfig } from '../../../core/config.ts';
import { UnsupportedMedia } from '../../../core/errors.ts';
import type { Image } from '../../../core/images/image.ts';
import { type ByteSource, memorySource } from '../../../formats/engine/source.ts';
import { INSPECT_DIGEST_BYTES } from '../../../formats/ova/module.ts';
import { inspectUpload } from '../../../gateway/inspect-upload.ts';
import { largeOva } from '../formats/archive-builders.ts';

const deps = {
  config: parseConfig({ stores: [{ id: 'only', bucket: 'bucket', default: true }] }),
  log: { info() {}, warn() {}, error() {} } as never,
};
const inspected = (declared: Pick<Image, 'diskFormat' | 'containerFormat'>, source: ByteSource, more = {}) =>
  inspectUpload(
    { ...deps, config: { ...deps.config, ...more } },
    declared as Image,
    source as ImageReader,
    new AbortController().signal,
  );

describe('what PUT file refuses', () => {
  it('an appliance whose manifest is wrong, above what an inspection hashes, too', async () => {
    const appliance = { diskFormat: 'vmdk', containerFormat: 'ova' } as const;

    const refused = inspected(appliance, largeOva(INSPECT_DIGEST_BYTES + 512));

    await expect(refused).rejects.toThrow(UnsupportedMedia);
    await expect(refused).rejects.toThrow('digest_mismatch');
  });
});

describe('what PUT file takes', () => {
  const bare = (diskFormat: string) => ({ diskFormat, containerFormat: 'bare' }) as const;

  it.each(['raw', 'qcow2', 'vmdk', 'iso', 'aki'])('an image of no bytes that is declared as %s', async (format) => {
    expect(await inspected(bare(format), memorySource(new Uint8Array()))).toBeNull();
  });

  it.each(['aki', 'ari'].flatMap((format) => ['bare', format].map((container) => [format, container] as const)))(
    'for %s in %s what its owner says is one, unless kernels are judged strictly',
    async (diskFormat, containerFormat) => {
      const bytes = memorySource(Buffer.alloc(1000, 'no kernel that anybody knows'));
      const strict = { image_format: { ...deps.config.image_format, strict_kernels: true } };
      const image = { diskFormat, containerFormat };

      expect(await inspected(image, bytes)).toBe(containerFormat === 'bare' ? 1000 : null);
      await expect(inspected(image, bytes, strict)).rejects.toThrow('unknown_kernel');
    },
  );
});

describe('the boot record of a disk with a partition table', () => {
  const qcow2 = { diskFormat: 'qcow2', containerFormat: 'bare' } as const;
  const hybrid = async () =>
    memorySource(await readFile(new URL('../../fixtures/formats/disks/gpt-hybrid.qcow2', import.meta.url)));

  it('is refused when it is hybrid', async () => {
    await expect(inspected(qcow2, await hybrid())).rejects.toThrow('mbr_protective');
  });

  it.each(['mbr', 'gptmbr'] as const)('is accepted where the check %s only warns', async (check) => {
    const image_format = { ...deps.config.image_format, gpt_safety_checks_nonfatal: [check] };
    expect(await inspected(qcow2, await hybrid(), { image_format })).toBe(64 * 1024 * 1024);
  });
});
