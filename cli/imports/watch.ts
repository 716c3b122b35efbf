/** Running imports, live: a line for each on a terminal, drawn again with every look; elsewhere a line for each change. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '../../api/client.ts';
import type { ImportAnswer } from '../../api/imports/answers.ts';
import { clockTime, shortBytes } from '../human.ts';
import { writeJson, writeLine } from '../output.ts';
import { printable } from '../printable.ts';
import { trying } from '../transfer/tries.ts';
import { hasEnded } from './follow.ts';
import { importLine } from './line.ts';

const LOOK_MS = 1000;
const BAR = 20;

export interface WatchOptions {
  /** Id of the only image whose imports are of interest. */
  readonly image?: string | undefined;
  readonly forever: boolean;
  readonly json: boolean;
}

/**
 * Follows every import that runs, and those that begin meanwhile, until none is left.
 * @returns whether all of them ended well; of an image without a running import, whether its last one did
 */
export async function watchImports(client: Client, options: WatchOptions): Promise<boolean> {
  const seen = new Map<string, ImportAnswer>();
  const screen = new Screen(options);
  for (;;) {
    const running = await trying(() => runningImports(client, options.image));
    const gone = [...seen.values()].filter((one) => !hasEnded(one) && running.every(({ id }) => id !== one.id));
    const ended = await Promise.all(gone.map(({ id }) => trying(() => client.showImport({ params: { task: id } }))));
    if (seen.size === 0 && running.length === 0 && options.image !== undefined)
      ended.push(...(await last(client, options.image)));
    const looks = [...ended, ...running];
    for (const one of looks) seen.set(one.id, one);
    screen.show(looks);
    if (!options.forever && looks.every(hasEnded)) break;
    await pause(LOOK_MS);
  }
  return [...seen.values()].every(({ status }) => status === 'success');
}

async function runningImports(client: Client, image: string | undefined): Promise<readonly ImportAnswer[]> {
  const lists = await Promise.all(
    (['pending', 'processing'] as const).map((status) =>
      client.listImports({ query: { status, ...(image !== undefined && { image_id: image }) } }),
    ),
  );
  // One that begins between the two answers is in both.
  return [...new Map(lists.flatMap(({ imports }) => imports).map((one) => [one.id, one])).values()];
}

async function last(client: Client, image: string): Promise<readonly ImportAnswer[]> {
  return (await client.listImports({ query: { image_id: image, limit: 1 } })).imports;
}

/** What was shown, so that a terminal draws over it and other readers are told changes only. */
class Screen {
  readonly #options: WatchOptions;
  readonly #told = new Map<string, string>();
  #lines = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  show(imports: readonly ImportAnswer[]): void {
    if (this.#options.json || !process.stdout.isTTY) {
      this.#tell(imports);
      return;
    }
    const width = process.stdout.columns ?? 80;
    const ended = imports.filter(hasEnded).map((one) => printable(importLine(one)));
    const running = imports.filter((one) => !hasEnded(one)).map((one) => liveLine(one).slice(0, width - 1));
    const up = this.#lines > 0 ? `\x1b[${this.#lines}A\r\x1b[J` : '';
    process.stdout.write(`${up}${[...ended, ...running].map((line) => `${line}\n`).join('')}`);
    this.#lines = running.length;
  }

  #tell(imports: readonly ImportAnswer[]): void {
    for (const one of imports) {
      const line = JSON.stringify([one.status, one.progress?.phase, Math.floor(one.progress?.percent ?? 0)]);
      if (this.#told.get(one.id) === line) continue;
      this.#told.set(one.id, line);
      if (this.#options.json) writeJson(one);
      else writeLine(importLine(one));
    }
  }
}

/** `image  method  phase ████░░░░ 43%  1.5 GiB of 4 GiB  1:05 left`. */
function liveLine({ image_id, method, status, progress }: ImportAnswer): string {
  if (progress === undefined) return printable(`${image_id}  ${method}  ${status}`);
  const { phase, percent, bytes_done, bytes_total, eta_seconds } = progress;
  const filled = Math.round((Math.min(100, percent) / 100) * BAR);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR - filled);
  const left = eta_seconds === undefined ? '' : `  ${clockTime(eta_seconds)} left`;
  const bytes = `${shortBytes(bytes_done)} of ${shortBytes(bytes_total)}`;
  return printable(`${image_id}  ${method}  ${phase} ${bar} ${Math.floor(percent)}%  ${bytes}${left}`);
}
