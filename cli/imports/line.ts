import type { ImportAnswer } from '../../api/imports/answers.ts';
import { shortBytes } from '../human.ts';

/** An import as one line: id, status, what it does, how far it is or was, what it said at its end, until when it may be tried again. */
export function importLine({
  id,
  status,
  method,
  image_id,
  stores,
  progress,
  message,
  retry_until,
}: ImportAnswer): string {
  const parts = [
    retry_until === undefined ? status : 'cancelled',
    `${method} of ${image_id} to ${stores.join(', ')}`,
    ...(progress === undefined ? [] : [progressText(progress)]),
    ...(message === '' ? [] : [message]),
    ...(retry_until === undefined ? [] : [`retry until ${retry_until}`]),
  ];
  return `${id}  ${parts.join('; ')}`;
}

function progressText({ phase, percent, bytes_done, bytes_total }: NonNullable<ImportAnswer['progress']>): string {
  return `${phase}, ${Math.floor(percent)}%, ${shortBytes(bytes_done)} of ${shortBytes(bytes_total)}`;
}
