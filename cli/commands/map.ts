import { detectedExtents } from '../../formats/convert/extent-map.ts';
import { assertConvertible } from '../../formats/convert/guard.ts';
import type { DiskImage, Extent } from '../../formats/engine/image.ts';
import { inspect } from '../../formats/inspect.ts';
import { fileSource } from '../../formats/node/file-source.ts';
import { openImage } from '../../formats/registry.ts';
import { EXIT } from '../exit.ts';
import { humanBytes } from '../human.ts';
import { checksOf, nonfatalOption } from '../options.ts';
import { paintDisk } from '../picture.ts';
import { printable } from '../printable.ts';
import type { Register } from './register.ts';

/** `glimpse map`: where the data is. */
export const mapCommand: Register = (program, done) => {
  program
    .command('map')
    .description('show where a disk has data, stored zeros and holes (64 KiB blocks)')
    .argument('<file>', 'image')
    .option('--json', 'one JSON object: file, format, virtual_size, extents')
    .addOption(nonfatalOption())
    .action(async (file: string, options: { json?: boolean; nonfatal?: string }) => {
      const source = await fileSource(file);
      try {
        const inspection = await inspect(source, { nonfatal: checksOf(options) });
        assertConvertible(inspection);
        const image = await openImage(source, inspection.format);
        if (options.json === true) await writeJson(file, image);
        else if (process.stdout.isTTY) await writePicture(file, image);
        else await writeLines(image);
        done(EXIT.ok);
      } finally {
        await source.close();
      }
    });
};

async function writeJson(file: string, image: DiskImage): Promise<void> {
  const head = { file, format: image.format, virtual_size: image.virtualSize };
  process.stdout.write(`${JSON.stringify(head).slice(0, -1)},"extents":[`);
  let separator = '';
  for await (const extent of detectedExtents(image)) {
    process.stdout.write(separator + JSON.stringify({ ...extent, kind: kindOf(extent) }));
    separator = ',';
  }
  process.stdout.write(']}\n');
}

async function writeLines(image: DiskImage): Promise<void> {
  for await (const extent of detectedExtents(image)) {
    process.stdout.write(`${extent.start}\t${extent.length}\t${kindOf(extent)}\n`);
  }
}

async function writePicture(file: string, image: DiskImage): Promise<void> {
  const { columns = 80, rows = 24 } = process.stdout;
  const picture = await paintDisk(detectedExtents(image), image.virtualSize, columns, Math.max(1, rows - 5));
  process.stdout.write(`${printable(file)}: ${image.format}, ${humanBytes(image.virtualSize)}\n${picture}`);
}

/** data, zero (stored or marked), hole (nothing stored). */
function kindOf(extent: Extent): 'data' | 'zero' | 'hole' {
  if (!extent.zero) return 'data';
  return extent.allocated ? 'zero' : 'hole';
}
