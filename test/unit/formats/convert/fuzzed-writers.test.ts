/**
 * Whatever disk a writer is given, its file is accepted and reads back as that disk; and whatever then becomes of the file, a reader ends
 * in a verdict or a typed error. A run is repeated by its seed, which is in the names.
 */
import { describe, expect, it } from 'vitest';
import type { TargetOptions } from '../../../../formats/convert/plan.ts';
import { FormatError } from '../../../../formats/engine/errors.ts';
import type { FormatName } from '../../../../formats/engine/image.ts';
import { memorySource } from '../../../../formats/engine/source.ts';
import { inspect } from '../../../../formats/inspect.ts';
import { openImage } from '../../../../formats/registry.ts';
import { WRITERS } from '../../../../formats/writers.ts';
import { MutantSource, mutate, Random } from '../../../fuzz/mutate.ts';
import { converted } from '../../../support/converted.ts';

const SEED = Number(process.env['GLIMPSE_TEST_SEED'] ?? Date.now() % 1_000_000);
const DISKS = 6;
const MUTANTS = 40;
const SECTOR = 512;
const MIB = 1024 * 1024;
/** Lengths around which blocks, their bitmaps and slices begin and end. */
const LENGTHS = [1, 7, SECTOR - 1, SECTOR, 4096, 64 * 1024, MIB, 2 * MIB, 2 * MIB + 1];

const FORMS = WRITERS.filter(({ format }) => format !== 'raw');

/** A disk of any number of sectors, empty or with a few stretches of data. */
function anyDisk(random: Random): Buffer {
  const disk = Buffer.alloc(SECTOR * (1 + random.below(random.pick([1, 4096, 8192, 12_288]))));
  for (let stretch = random.below(5); stretch > 0; stretch--) {
    const at = random.pick([random.below(disk.length), Math.floor(random.below(disk.length) / MIB) * MIB]);
    disk.fill(1 + random.below(255), at, Math.min(disk.length, at + random.pick(LENGTHS)));
  }
  return disk;
}

async function guestOf(file: Uint8Array, format: FormatName): Promise<Buffer> {
  const image = await openImage(memorySource(file), format);
  const guest = Buffer.alloc(image.virtualSize, 0xee);
  await image.readInto(0, guest);
  return guest;
}

describe.each(FORMS)(
  `$format $subformat (GLIMPSE_TEST_SEED=${SEED})`,
  ({ format, subformat, wholeMib, compressions }) => {
    const numbers = Array.from({ length: DISKS }, (_, n) => n);
    const made = async (n: number) => {
      const random = new Random(SEED + n);
      const disk = anyDisk(random);
      const isPadded = wholeMib === true && random.below(2) === 0;
      const options: TargetOptions = {
        ...{ target: format, compression: random.pick(compressions), wholeMib: isPadded },
        ...(subformat === undefined ? {} : { subformat }),
      };
      return { random, disk, isPadded, file: await converted(disk, options) };
    };

    it.each(numbers)('disk %i reads back as it was', async (n) => {
      const { disk, isPadded, file } = await made(n);
      const size = isPadded ? Math.ceil(disk.length / MIB) * MIB : disk.length;

      const found = await inspect(memorySource(file));

      expect(found).toMatchObject({ format, verdict: 'accept', findings: [], virtualSize: size });
      const guest = await guestOf(file, format);
      expect(guest.subarray(0, disk.length).equals(disk)).toBe(true);
      expect(guest.subarray(disk.length).equals(Buffer.alloc(size - disk.length))).toBe(true);
    });

    it.each(numbers)('what is made of file %i by a few other bytes ends in a verdict or a typed error', async (n) => {
      const { random, file } = await made(n);
      const wrong: string[] = [];
      let looked = 0;
      for (let m = 0; m < MUTANTS; m++) {
        const mutant = mutate(random, file);
        try {
          const source = new MutantSource(file, mutant);
          await inspect(source, { maxVirtualSize: 2 ** 32 });
          looked += 1;
          const image = await openImage(source, format);
          const offset = random.below(Math.max(1, Math.min(image.virtualSize, 2 ** 31)));
          await image.readInto(offset, new Uint8Array(Math.min(64 * 1024, image.virtualSize - offset)));
        } catch (error) {
          if (!(error instanceof FormatError)) wrong.push(`${m}: ${error} ${JSON.stringify(mutant.edits)}`);
        }
      }

      expect(wrong).toEqual([]);
      expect(looked).toBe(MUTANTS);
    });
  },
);
