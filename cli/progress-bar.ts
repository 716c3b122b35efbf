import { clockTime, shortBytes } from './human.ts';
import { printable } from './printable.ts';

/** A progress line on standard error, when that is a terminal; silent otherwise. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  readonly #label: string;
  readonly #started = performance.now();
  /** Share that was done before, by an earlier command: rate and time left go by the rest. */
  readonly #before: number;
  #isShown = false;

  constructor(label: string, stream: NodeJS.WriteStream = process.stderr, before = 0) {
    this.#label = printable(label);
    this.#stream = stream;
    this.#before = before;
  }

  /** @param share 0 to 1; @param bytes the whole work */
  update(share: number, bytes: number): void {
    if (!this.#stream.isTTY) return;
    const seconds = (performance.now() - this.#started) / 1000;
    const fresh = share - this.#before;
    const rate = seconds > 0 ? `${shortBytes(Math.max(0, fresh * bytes) / seconds)}/s` : '';
    const left = fresh > 0.02 ? `  ${clockTime((seconds / fresh) * (1 - share))} left` : '';
    const done = `${shortBytes(share * bytes)} of ${shortBytes(bytes)}`;
    const tail = ` ${String(Math.floor(share * 100)).padStart(3)}%  ${done}  ${rate}${left}`;
    const width = Math.max(10, Math.min(40, (this.#stream.columns ?? 80) - this.#label.length - tail.length - 4));
    const filled = Math.round(Math.min(1, share) * width);
    const bar = '█'.repeat(filled) + '░'.repeat(width - filled);
    this.#stream.write(`\r\x1b[K${this.#label} ${bar}${tail}`);
    this.#isShown = true;
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[K');
    this.#isShown = false;
  }

  /** Leaves the line as it is last, for the bar of the next phase stands below it. */
  end(): void {
    if (this.#isShown) this.#stream.write('\n');
    this.#isShown = false;
  }
}

/** Bars one below the other, one for each phase of a work; a phase begins when it is told of first. */
export class PhaseBars {
  #phase: string | undefined;
  #bar: ProgressBar | undefined;
  readonly #stream: NodeJS.WriteStream;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  /** @param done bytes of `total`; of a total of 0 there is nothing to show */
  update(phase: string, done: number, total: number): void {
    if (total <= 0) return;
    const share = Math.min(1, done / total);
    if (phase !== this.#phase) {
      this.end();
      this.#phase = phase;
      this.#bar = new ProgressBar(phase.padEnd(10), this.#stream, share);
    }
    this.#bar?.update(share, total);
  }

  end(): void {
    this.#bar?.end();
    this.#bar = undefined;
    this.#phase = undefined;
  }
}
