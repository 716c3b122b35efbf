/** What PUT file says of a signature when the image's properties change at the worst moment, and writes that come twice. */
import { describe, expect, test } from 'vitest';
import { imagePrefix } from '../../../../bytes/keys.ts';
import type { Image } from '../../../../core/images/image.ts';
import type { ImageChange } from '../../../../core/images/repository.ts';
import { beginUpload, completeFile } from '../../../../core/images/upload.ts';
import { callerWith } from '../../../support/caller.ts';
import { anImage } from '../../../support/images.ts';
import { importRig } from '../../../support/memory/imports.ts';
import { aSigner } from '../../../support/signer.ts';

const BYTES = Buffer.from('what is signed');
const OWNER = callerWith({ projectId: 'demo' });
const SIGNER = aSigner();
const SIGNED = SIGNER.properties(BYTES);
const OTHER = SIGNER.properties(Buffer.from('something else'));
const REQUEST = { kind: 'file', store: undefined, declaredSize: BYTES.length } as const;

async function waiting(properties: Image['properties'], signed_images = {}) {
  const { deps } = importRig({ signed_images });
  deps.certificates.set(SIGNER.certificateId, SIGNER.certificate);
  const image = anImage({ owner: 'demo', diskFormat: 'raw', containerFormat: 'bare', properties });
  await deps.images.create(image);
  /** Runs once, right before a change of the image of which `when` is true. */
  const rightBefore = (when: (change: ImageChange) => boolean, run: () => Promise<unknown>) => {
    const { change } = deps.images;
    let isDone = false;
    Object.assign(deps.images, {
      change: async (id: string, asked: ImageChange) => {
        if (!isDone && when(asked)) {
          isDone = true;
          await run();
        }
        return change(id, asked);
      },
    });
    return () => isDone;
  };
  const patched = (mergeProperties: NonNullable<ImageChange['mergeProperties']>) =>
    deps.images.change(image.id, { mergeProperties });
  return { deps, image, patched, rightBefore };
}

const received = (prefix: string) => ({
  ...{ size: BYTES.length, storedBytes: BYTES.length, url: `s3://central/${prefix}data`, virtualSize: null },
});
const begins = ({ set }: ImageChange) => set?.status === 'saving';
const ends = ({ set }: ImageChange) => set?.status === 'active';

describe('a patch between the last look at the image and the write that makes it active', () => {
  test('of the signature takes the mark off, and stays', async () => {
    const { deps, image, patched, rightBefore } = await waiting(SIGNED);
    const upload = await beginUpload(deps, OWNER, { ...REQUEST, imageId: image.id });
    const isDone = rightBefore(ends, () => patched(OTHER));

    await completeFile(deps, upload, received(imagePrefix(image.id, upload.writeId)));

    expect(isDone()).toBe(true);
    const now = await deps.images.get(image.id);
    expect(now).toMatchObject({ status: 'active', signature: null, lock: null, properties: OTHER });
  });

  test('of anything else leaves the mark, and stays', async () => {
    const { deps, image, patched, rightBefore } = await waiting(SIGNED);
    const upload = await beginUpload(deps, OWNER, { ...REQUEST, imageId: image.id });
    const isDone = rightBefore(ends, () => patched({ mine: 'too' }));

    await completeFile(deps, upload, received(imagePrefix(image.id, upload.writeId)));

    expect(isDone()).toBe(true);
    const properties = { ...SIGNED, mine: 'too' };
    expect(await deps.images.get(image.id)).toMatchObject({ status: 'active', signature: 'verified', properties });
  });

  test('of the signature of an image that needs one is the end of the upload', async () => {
    const always = { require_signature: { shared: 'always', private: 'always' } };
    const { deps, image, patched, rightBefore } = await waiting(SIGNED, always);
    const upload = await beginUpload(deps, OWNER, { ...REQUEST, imageId: image.id });
    rightBefore(ends, () => patched(OTHER));

    const ended = completeFile(deps, upload, received(imagePrefix(image.id, upload.writeId)));

    await expect(ended).rejects.toThrow('needs a good signature here');
    expect(await deps.images.get(image.id)).toMatchObject({ status: 'saving', lock: upload.writeId });
  });
});

describe('a patch between the first look at the image and its lock', () => {
  test.each([
    ['that signs it', {}, SIGNED],
    ['of its signature', OTHER, SIGNED],
  ])('%s is what the bytes are asked for', async (_, before, after) => {
    const { deps, image, patched, rightBefore } = await waiting(before);
    const isDone = rightBefore(begins, () => patched(after));

    const { signature } = await beginUpload(deps, OWNER, { ...REQUEST, imageId: image.id });

    expect(isDone()).toBe(true);
    expect(signature?.signature).toBe(after['img_signature']);
    expect(await deps.duties.due(Number.MAX_SAFE_INTEGER, 10)).toHaveLength(1);
  });
});

/** The SDK sends a request again whose answer was lost: the first one took effect. */
test.each(['begins', 'ends'] as const)('a write that %s an upload may come twice', async (which) => {
  const { deps, image } = await waiting(SIGNED);
  const { change } = deps.images;
  const isStruck = { begins, ends }[which];
  Object.assign(deps.images, {
    change: async (id: string, asked: ImageChange) => {
      if (isStruck(asked)) await change(id, asked).catch(() => undefined);
      return change(id, asked);
    },
  });

  const upload = await beginUpload(deps, OWNER, { ...REQUEST, imageId: image.id });
  expect(await deps.duties.due(Number.MAX_SAFE_INTEGER, 10)).toHaveLength(1);
  await completeFile(deps, upload, received(imagePrefix(image.id, upload.writeId)));

  expect(await deps.images.get(image.id)).toMatchObject({ status: 'active', signature: 'verified', lock: null });
  expect(await deps.duties.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
});
