import { clockTime, shortBytes } from './human.ts';

/** A progress line on standard error, when that is a terminal; silent otherwise. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  readonly #label: string;
  readonly #started = performance.now();

  constructor(label: string, stream: NodeJS.WriteStream = process.stderr) {
    this.#label = label;
    this.#stream = stream;
  }

  /** @param share 0 to 1; @param bytes the whole work */
  update(share: number, bytes: number): void {
    if (!this.#stream.isTTY) return;
    const seconds = (performance.now() - this.#started) / 1000;
    const done = share * bytes;
    const rate = seconds > 0 ? `${shortBytes(done / seconds)}/s` : '';
    const left = share > 0.02 ? `  ${clockTime((seconds / share) * (1 - share))} left` : '';
    const tail = ` ${String(Math.floor(share * 100)).padStart(3)}%  ${shortBytes(done)} of ${shortBytes(bytes)}  ${rate}${left}`;
    const width = Math.max(10, Math.min(40, (this.#stream.columns ?? 80) - this.#label.length - tail.length - 4));
    const filled = Math.round(share * width);
    const bar = '█'.repeat(filled) + '░'.repeat(width - filled);
    this.#stream.write(`\r\x1b[K${this.#label} ${bar}${tail}`);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[K');
  }
}
