import { ImageRefused } from '../../core/errors.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import { type ReportDeps, reporter } from '../../core/imports/report/reporter.ts';
import type { FormatName } from '../../formats/engine/image.ts';
import type { ByteSource } from '../../formats/engine/source.ts';
import { verifyWhole } from '../../formats/inspect.ts';
import { moduleOf } from '../../formats/registry.ts';
import type { StepTools } from './step.ts';

/**
 * The checks that Inspect leaves out because they read every byte: whatever the size, an appliance whose manifest is wrong is
 * refused. Reading counts as life of the task.
 * @throws ImageRefused with the findings in words; StepTooLong; what opening and reading throw
 */
export async function assertWhole(
  deps: ReportDeps,
  task: ImportTask,
  format: string | undefined,
  open: () => Promise<ByteSource>,
  { assertFits }: Pick<StepTools, 'assertFits'>,
): Promise<void> {
  if (moduleOf(format as FormatName)?.verify === undefined) return;
  const source = await open();
  assertFits('verify', source.size);
  const report = reporter(deps, task, 'verify', 0, source.size);
  const findings = await verifyWhole(reported(source, report.add), format as FormatName);
  const refused = findings.filter(({ severity }) => severity === 'refuse');
  if (refused.length === 0) return;
  throw new ImageRefused(
    `Image failed safety checks: ${refused.map(({ code, message }) => `${code}: ${message}`).join('; ')}`,
  );
}

function reported(source: ByteSource, add: (bytes: number) => Promise<void>): ByteSource {
  return {
    size: source.size,
    async read(offset, length) {
      const bytes = await source.read(offset, length);
      await add(length);
      return bytes;
    },
  };
}
