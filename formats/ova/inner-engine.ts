import { Unsafe, Unsupported } from '../errors.ts';
import { asFinding } from '../findings.ts';
import type { FormatModule } from '../image.ts';
import { type Choice, chooseFormat } from '../policy.ts';
import type { ByteSource } from '../source.ts';
import { probeWindow } from '../window.ts';
import type { InnerEngine } from './module.ts';

/**
 * The engine for disks inside archives: detects and parses with the given modules. They are asked for when a disk is
 * looked at, for the list itself holds the module that this is made for.
 */
export function innerEngine(modules: () => readonly FormatModule[]): InnerEngine {
  const detect = async (source: ByteSource) => {
    const window = await probeWindow(source);
    const matches = modules().filter((module) => module.probe(window));
    const choice: Choice = chooseFormat(
      matches.map((module) => module.format),
      undefined,
    );
    return { window, choice, module: modules().find((module) => module.format === choice.format) };
  };
  return {
    async inspect(source) {
      const { window, choice, module } = await detect(source);
      if (module === undefined) throw new Unsupported(`no reader for ${choice.format}`);
      try {
        const facts = await module.inspect(source, window);
        return { ...facts, findings: [...choice.findings, ...facts.findings] };
      } catch (error) {
        return { format: choice.format, findings: [...choice.findings, asFinding(error)], details: {} };
      }
    },
    async open(source) {
      const { choice, module } = await detect(source);
      const [conflict] = choice.findings;
      if (conflict !== undefined) throw new Unsafe(conflict.code, conflict.message);
      if (module?.open === undefined) throw new Unsupported(`a disk of format ${choice.format} is not read`);
      return module.open(source);
    },
  };
}
