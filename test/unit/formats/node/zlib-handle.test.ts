import {
  constants,
  createDeflate,
  createDeflateRaw,
  createInflate,
  createInflateRaw,
  createZstdCompress,
  createZstdDecompress,
  deflateSync,
  inflateSync,
  zstdCompressSync,
} from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConversionPlan, TargetOptions } from '../../../../formats/convert/plan.ts';
import { memorySource } from '../../../../formats/engine/source.ts';
import { ZlibHandle } from '../../../../formats/node/zlib-handle.ts';

const TEXT = Buffer.from('disk image '.repeat(600));
const SIZE = 300 * 1024;
/** Text, zeros, and bytes that do not shrink. */
const DISK = Buffer.alloc(SIZE, 0);
DISK.fill(TEXT, 0, 100 * 1024);
for (let at = 200 * 1024, state = 1; at < SIZE; at++) {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  DISK[at] = state >>> 24;
}

/** These fail when a new Node has other private parts: then `ZlibHandle` follows it, or goes and the public calls stay. */
describe("Node's private parts are where we take them to be", () => {
  it.each([
    ['createInflate', createInflate],
    ['createInflateRaw', createInflateRaw],
    ['createDeflate', createDeflate],
    ['createDeflateRaw', createDeflateRaw],
    ['createZstdCompress', createZstdCompress],
    ['createZstdDecompress', createZstdDecompress],
  ])('in what %s gives', (_, create) => {
    expect(ZlibHandle.of(create())).toBeInstanceOf(ZlibHandle);
  });

  it('and do what we take them to do: room and input that are left, going on, beginning again', () => {
    const decoder = ZlibHandle.of(createInflate())!;
    const stream = Buffer.concat([deflateSync(TEXT), Buffer.from('behind')]);
    const target = Buffer.alloc(TEXT.length + 10);

    decoder.reset();
    decoder.feed(constants.Z_SYNC_FLUSH, stream, target.subarray(0, 1000));
    expect(decoder.roomLeft).toBe(0);
    const rest = stream.subarray(stream.length - decoder.inputLeft);
    decoder.feed(constants.Z_SYNC_FLUSH, rest, target.subarray(1000));
    expect(decoder.roomLeft).toBe(10);
    expect(decoder.inputLeft).toBe('behind'.length);
    expect(target.subarray(0, TEXT.length).equals(TEXT)).toBe(true);

    decoder.reset();
    decoder.feed(constants.Z_SYNC_FLUSH, stream, target.fill(0));
    expect(target.subarray(0, TEXT.length).equals(TEXT)).toBe(true);
    expect(decoder.failure).toBeUndefined();
  });

  it('and say what is damaged, until they begin again', () => {
    const decoder = ZlibHandle.of(createInflate())!;

    decoder.feed(constants.Z_SYNC_FLUSH, Buffer.from('no zlib stream'), Buffer.alloc(10));
    expect(decoder.failure).toBe('incorrect header check');
    decoder.reset();
    expect(decoder.failure).toBeUndefined();
  });

  it('and end a stream in one call', () => {
    const encoder = ZlibHandle.of(createDeflate())!;
    const target = Buffer.alloc(TEXT.length);

    encoder.feed(constants.Z_FINISH, TEXT, target);
    expect(inflateSync(target.subarray(0, target.length - encoder.roomLeft)).equals(TEXT)).toBe(true);
  });

  it.each([
    ['nothing', {}],
    ['no state', { _handle: { reset() {}, writeSync() {} } }],
    ['another state', { _handle: { reset() {}, writeSync() {} }, _writeState: [0, 0] }],
    ['other functions', { _handle: { write() {} }, _writeState: new Uint32Array(2) }],
  ])('and are not taken from an object that has %s', (_, stream) => {
    expect(ZlibHandle.of(stream)).toBeNull();
  });
});

/** The modules anew, over a Node without the private parts. */
async function withoutPrivateParts() {
  const handle = await import('../../../../formats/node/zlib-handle.ts');
  const of = vi.spyOn(handle.ZlibHandle, 'of').mockReturnValue(null);
  return { ...(await freshModules()), of };
}

async function freshModules() {
  return {
    ...(await import('../../../../formats/engine/inflate/into.ts')),
    ...(await import('../../../../formats/node/codecs/zstd.ts')),
    ...(await import('../../../../formats/convert/plan.ts')),
    ...(await import('../../../../formats/convert/blocks.ts')),
    ...(await import('../../../../formats/convert/assembly.ts')),
    ...(await import('../../../../formats/raw/module.ts')),
    ...(await import('../../../../formats/registry.ts')),
  };
}
type Modules = Awaited<ReturnType<typeof freshModules>>;

async function convertedBy(modules: Modules, options: TargetOptions): Promise<Buffer> {
  const image = modules.rawImage(memorySource(DISK));
  const plan: ConversionPlan = modules.planConversion(image, memorySource(DISK), options);
  const { index, plain, packed } = await modules.encodeSlice(image, plan, 0);
  const assembly = modules.assemble(plan, index);
  const out = Buffer.alloc(assembly.size);
  for (const { kind, offset } of modules.regions(assembly)) {
    if (kind === 'plain') out.set(plain, offset);
    else if (kind === 'packed') out.set(packed, offset);
    else if (kind !== 'gap') out.set(Buffer.concat([...assembly[kind]()]), offset);
  }
  return out;
}

async function guestBy(modules: Modules, file: Buffer, format: 'qcow2' | 'vmdk'): Promise<Buffer> {
  const image = await modules.openImage(memorySource(file), format);
  const out = Buffer.alloc(image.virtualSize);
  // In parts of clusters, which do not go through the pair decoder.
  for (let at = 0; at < out.length; at += 20 * 1024) await image.readInto(at, out.subarray(at, at + 20 * 1024));
  return out;
}

describe('a Node without the private parts', () => {
  beforeEach(() => vi.resetModules());
  afterEach(() => vi.restoreAllMocks());

  it.each<TargetOptions>([
    { target: 'qcow2', compression: 'zlib' },
    { target: 'qcow2', compression: 'zstd' },
    { target: 'vmdk' },
  ])('converts to %o alike, and reads it', async (options) => {
    const usual = await convertedBy(await freshModules(), options);
    vi.resetModules();
    const modules = await withoutPrivateParts();

    const file = await convertedBy(modules, options);

    expect(file.equals(usual)).toBe(true);
    expect((await guestBy(modules, file, options.target as 'qcow2' | 'vmdk')).equals(DISK)).toBe(true);
    expect(modules.of).toHaveBeenCalled();
  });

  it('refuses what is damaged, and works on', async () => {
    const { inflateInto, decodeFrame } = await withoutPrivateParts();
    const room = Buffer.alloc(TEXT.length);

    for (const decode of [
      (bytes: Uint8Array) => inflateInto('zlib', bytes, room),
      (bytes: Uint8Array) => decodeFrame(bytes, room),
    ]) {
      expect(() => decode(Buffer.from('neither a stream nor a frame'))).toThrow(
        expect.objectContaining({ kind: 'Corrupt' }),
      );
    }
    inflateInto('zlib', deflateSync(TEXT), room);
    expect(room.equals(TEXT)).toBe(true);
    expect(decodeFrame(zstdCompressSync(TEXT), room.fill(0))).toBe(TEXT.length);
    expect(room.equals(TEXT)).toBe(true);
  });
});
