import { describe, expect, it } from 'vitest';
import type { ImageReader } from '../../../bytes/stored-image.ts';
import { parseConfig } from '../../../core/config.ts';
import { UnsupportedMedia } from '../../../core/errors.ts';
import type { Image } from '../../../core/images/image.ts';
import type { ByteSource } from '../../../formats/engine/source.ts';
import { INSPECT_DIGEST_BYTES } from '../../../formats/ova/module.ts';
import { inspectUpload } from '../../../gateway/inspect-upload.ts';
import { largeOva } from '../formats/archive-builders.ts';

const deps = {
  config: parseConfig({ stores: [{ id: 'only', bucket: 'bucket', default: true }] }),
  log: { info() {}, warn() {}, error() {} } as never,
};
const inspected = (declared: Pick<Image, 'diskFormat' | 'containerFormat'>, source: ByteSource) =>
  inspectUpload(deps, declared as Image, source as ImageReader, new AbortController().signal);

describe('what PUT file refuses', () => {
  it('an appliance whose manifest is wrong, above what an inspection hashes, too', async () => {
    const appliance = { diskFormat: 'vmdk', containerFormat: 'ova' } as const;

    const refused = inspected(appliance, largeOva(INSPECT_DIGEST_BYTES + 512));

    await expect(refused).rejects.toThrow(UnsupportedMedia);
    await expect(refused).rejects.toThrow('digest_mismatch');
  });
});
