/**
 * Deterministic data of which about half compresses away: in each 4 KiB, 2 KiB of pseudo-random bytes and 2 KiB of text.
 * The same numbers give the same bytes on every machine.
 */
export function halfCompressible(target: Buffer, seed: number): void {
  let state = (Math.imul(seed + 1, 0x9e3779b1) | 1) >>> 0;
  for (let at = 0; at < target.length; at += 4096) {
    for (let word = at; word < at + 2048; word += 4) {
      // xorshift32
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      target.writeInt32LE(state | 0, word);
    }
    const line = `block ${seed}.${at / 4096}: the quick brown fox jumps over the lazy dog\n`;
    target.fill(line, at + 2048, at + 4096, 'latin1');
  }
}
