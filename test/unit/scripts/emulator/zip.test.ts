import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, inflateRawSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { zipFolder } from '../../../../scripts/emulator/zip.ts';

/** Path → content, found as an unpacker finds them: from the end record over the directory to each file. */
function unpacked(archive: Buffer): Record<string, string> {
  const end = archive.length - 22;
  expect(archive.readUInt32LE(end)).toBe(0x06054b50);
  const files: Record<string, string> = {};
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    expect(archive.readUInt32LE(at)).toBe(0x02014b50);
    const [packed, size, nameLength] = [
      archive.readUInt32LE(at + 20),
      archive.readUInt32LE(at + 24),
      archive.readUInt16LE(at + 28),
    ];
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength);
    const local = archive.readUInt32LE(at + 42);
    expect(archive.readUInt32LE(local)).toBe(0x04034b50);
    const from = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const data = inflateRawSync(archive.subarray(from, from + packed));
    expect([data.length, crc32(data)]).toEqual([size, archive.readUInt32LE(at + 16)]);
    files[name] = data.toString();
    at += 46 + nameLength;
  }
  expect(at).toBe(end);
  return files;
}

test('a folder is an archive of its files, the same one every time', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-zip-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'deep/er'), { recursive: true });
  await writeFile(join(folder, 'bundle.mjs'), 'export const handler = 1;\n'.repeat(100));
  await writeFile(join(folder, 'deep/er/é.json'), '{}');
  await writeFile(join(folder, 'empty'), '');

  const archive = await zipFolder(folder);

  expect(unpacked(archive)).toEqual({
    'bundle.mjs': 'export const handler = 1;\n'.repeat(100),
    'deep/er/é.json': '{}',
    empty: '',
  });
  await writeFile(join(folder, 'empty'), '');
  expect((await zipFolder(folder)).equals(archive)).toBe(true);
});
