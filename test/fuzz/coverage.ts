import { Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';

/** Share of functions of `formats/` that ran, per folder, by V8's own counters. */
export class Coverage {
  readonly #session = new Session();

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Per folder: functions that ran, functions in all, bytes of code that ran, bytes in all. */
  async report(): Promise<Map<string, { ran: number; functions: number; covered: number; bytes: number }>> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    const folders = new Map<string, { ran: number; functions: number; covered: number; bytes: number }>();
    for (const script of result) {
      const match = script.url.startsWith('file:')
        ? /\/formats\/(?:([a-z0-9]+)\/)?[a-z0-9-]+\.ts$/u.exec(fileURLToPath(script.url))
        : null;
      if (match === null) continue;
      const row = folders.get(match[1] ?? '.') ?? { ran: 0, functions: 0, covered: 0, bytes: 0 };
      for (const { ranges, functionName } of script.functions) {
        const [whole, ...blocks] = ranges;
        if (whole === undefined || functionName === '') continue;
        row.functions += 1;
        row.bytes += whole.endOffset - whole.startOffset;
        if (whole.count === 0) continue;
        row.ran += 1;
        const dead = blocks.filter((block) => block.count === 0);
        row.covered +=
          whole.endOffset -
          whole.startOffset -
          dead.reduce((sum, block) => sum + block.endOffset - block.startOffset, 0);
      }
      folders.set(match[1] ?? '.', row);
    }
    return folders;
  }
}
