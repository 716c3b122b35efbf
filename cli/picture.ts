import type { Extent } from '../formats/engine/image.ts';
import { shortBytes } from './human.ts';

/** A cell shows how much of its bytes is data; without data, zeros that are stored; without those, a hole. */
const SHADES = ['░', '▒', '▓', '█'] as const;
const ZERO = '0';
const HOLE = '·';

/**
 * A disk as lines of cells, left to right and down, no larger than the screen; a legend follows.
 * @param extents the whole disk in order
 */
export async function paintDisk(
  extents: AsyncIterable<Extent>,
  size: number,
  columns: number,
  rows: number,
): Promise<string> {
  const width = Math.max(8, columns - 1);
  const cells = Math.max(1, Math.min(width * rows, Math.ceil(size / 65_536)));
  const perCell = size / cells;
  const data = new Float64Array(cells);
  const zeros = new Float64Array(cells);
  for await (const extent of extents) {
    if (!extent.zero) spread(data, extent, perCell);
    else if (extent.allocated) spread(zeros, extent, perCell);
  }
  const line = Array.from(data, (bytes, cell) => shade(bytes / perCell, zeros[cell] ?? 0));
  const lines: string[] = [];
  for (let at = 0; at < line.length; at += width) lines.push(line.slice(at, at + width).join(''));
  const total = data.reduce((sum, bytes) => sum + bytes, 0);
  const legend = `${SHADES.join('')} data  ${ZERO} zeros  ${HOLE} hole   cell ${shortBytes(perCell)}, data ${shortBytes(total)}`;
  return `${lines.join('\n')}\n${legend}\n`;
}

function shade(share: number, zeroBytes: number): string {
  if (share > 0) return SHADES[Math.min(SHADES.length - 1, Math.floor(share * SHADES.length))] ?? '█';
  return zeroBytes > 0 ? ZERO : HOLE;
}

/** Adds the bytes of an extent to the cells it covers. */
function spread(cells: Float64Array, extent: Extent, perCell: number): void {
  const end = extent.start + extent.length;
  for (let cell = Math.floor(extent.start / perCell); cell < cells.length && cell * perCell < end; cell++) {
    const covered = Math.min(end, (cell + 1) * perCell) - Math.max(extent.start, cell * perCell);
    cells[cell] = (cells[cell] ?? 0) + Math.max(0, covered);
  }
}
