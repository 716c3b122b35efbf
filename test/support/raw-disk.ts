const MIB = 1024 * 1024;

/** A raw disk with holes, text, and data that does not compress, in the first mebibyte of every sixteen and in the last one. */
export function rawDisk(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = 7;
  const starts = Array.from({ length: Math.ceil(size / (16 * MIB)) }, (_, n) => n * 16 * MIB);
  for (const start of [...starts, Math.max(0, size - MIB)]) {
    bytes.fill(`text at ${start} `, start, Math.min(size, start + 70_000));
    for (let at = start + 200_000; at < Math.min(size, start + 270_000); at++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      bytes[at] = state >>> 24;
    }
  }
  return bytes;
}
