/** What commands that begin an import do with it: they follow it, and show the image that it made. */
import type { Client } from '../../api/client.ts';
import type { ImageAnswer } from '../../api/images/answers.ts';
import type { ImportAnswer } from '../../api/imports/answers.ts';
import { complain, EXIT, type ExitCode } from '../exit.ts';
import { imageRow } from '../images/view.ts';
import { writeJson, writeLine } from '../output.ts';
import { PhaseBars } from '../progress-bar.ts';
import { followImport, lastImport } from './follow.ts';

export interface SettleOptions {
  readonly json?: boolean | undefined;
  /** False: the import is begun, and its end is not awaited. */
  readonly wait?: boolean;
}

/** Shows the phases of an import as bars. */
function showPhases(bars: PhaseBars, { progress }: ImportAnswer): void {
  if (progress !== undefined) bars.update(progress.phase, progress.bytes_done, progress.bytes_total);
}

/**
 * Follows the import of an image that was just accepted, and prints the image.
 * @returns EXIT.ok when it is in all stores; EXIT.refused when the import failed, in one store or in all
 */
export async function settleImport(client: Client, imageId: string, options: SettleOptions): Promise<ExitCode> {
  const begun = await lastImport(client, imageId);
  if (options.wait === false || begun === undefined) return print(client, imageId, options);
  const bars = new PhaseBars();
  const ended = await followImport(client, begun.id, { onLook: (one) => showPhases(bars, one) }).finally(() =>
    bars.end(),
  );
  if (ended.status === 'failure') {
    complain(`${imageId}: the import failed: ${ended.message}`);
    return EXIT.refused;
  }
  return print(client, imageId, options);
}

async function print(client: Client, id: string, { json }: SettleOptions): Promise<ExitCode> {
  const image = await client.showImage({ params: { id } });
  printImage(image, json);
  const failed = image.os_glance_failed_import;
  if (!failed) return EXIT.ok;
  complain(`${id}: not in ${failed}`);
  return EXIT.refused;
}

/** The image that a command made: its row, or all of it. */
export function printImage(image: ImageAnswer, json: boolean | undefined): void {
  if (json === true) writeJson(image);
  else writeLine(imageRow(image).filter(Boolean).join('  '));
}
