/** Disk images for acceptance, made as people make them: ext4 with real files and holes, through qemu-img. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MIB = 1024 ** 2;

export interface Disk {
  readonly path: string;
  /** The guest's view as a raw file, made by qemu-img: what a conversion must equal byte for byte. */
  readonly rawPath: string;
  readonly rawBytes: number;
}

/** A raw disk of `sizeMiB` that is one ext4 file system holding `dataMiB` of half-compressible files, with a hole in the middle. */
export async function ext4Disk(dir: string, name: string, sizeMiB: number, dataMiB: number): Promise<string> {
  const tree = join(dir, `${name}.tree`);
  await mkdir(join(tree, 'etc'), { recursive: true });
  await writeFile(join(tree, 'etc', 'hostname'), 'glimpse-guest\n');
  const file = await open(join(tree, 'data.bin'), 'w');
  const half = halfCompressible(MIB);
  for (let n = 0; n < dataMiB; n++) {
    half.writeUInt32LE(n, 0);
    await file.write(half, 0, MIB, n * MIB);
  }
  await file.close();
  const raw = join(dir, `${name}.raw`);
  const disk = await open(raw, 'w');
  await disk.truncate(sizeMiB * MIB);
  await disk.close();
  await run('mke2fs', ['-q', '-t', 'ext4', '-F', '-d', tree, raw]);
  await rm(tree, { recursive: true });
  return raw;
}

/** Converts a raw disk with qemu-img and keeps qemu's own expansion of the result beside it. */
export async function qemuImage(
  raw: string,
  target: string,
  format: string,
  options: readonly string[] = [],
): Promise<Disk> {
  await run('qemu-img', ['convert', '-f', 'raw', '-O', format, ...options, raw, target]);
  return withExpansion(target, format);
}

async function withExpansion(path: string, format: string): Promise<Disk> {
  const rawPath = `${path}.expanded`;
  await run('qemu-img', ['convert', '-f', format, '-O', 'raw', path, rawPath]);
  const file = await open(rawPath);
  const { size } = await file.stat();
  await file.close();
  return { path, rawPath, rawBytes: size };
}

export async function md5Of(path: string): Promise<string> {
  const hash = createHash('md5');
  for await (const chunk of createReadStream(path, { highWaterMark: MIB })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Deterministic bytes of which deflate takes off about half. */
export function halfCompressible(bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  let state = 0x2545f491;
  for (let at = 0; at < bytes; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    if ((at >> 12) % 2 === 0) buffer.writeInt32LE(state, at);
  }
  return buffer;
}
