import type { WithClock } from '../../core/clock.ts';
import type { WithConfig } from '../../core/config.ts';
import type { WithDuties } from '../../core/duties/duty.ts';
import { BackendUnavailable } from '../../core/errors.ts';
import type { WithImages } from '../../core/images/repository.ts';
import { isReserved } from '../../core/images/reserved.ts';
import { isConvertible, mayChangeBytes } from '../../core/imports/conversion.ts';
import { permitted } from '../../core/imports/introspection.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import type { WithLog } from '../../core/log.ts';
import type { WithPolicy, WithProtections } from '../../core/policy/port.ts';
import type { WithTasks } from '../../core/tasks/repository.ts';
import type { WithPlaces } from '../places.ts';
import { isTarget } from '../render/target-options.ts';
import { decompressSource } from './decompress.ts';
import type { StepTools } from './step.ts';

type PluginDeps = WithConfig &
  WithClock &
  WithImages &
  WithTasks &
  WithDuties &
  WithLog &
  WithPlaces &
  WithPolicy &
  WithProtections;
type Plugin = (deps: PluginDeps, task: ImportTask, tools: StepTools) => Promise<void>;

/** Import plugins by Glance's names (contract: import.md section 6). */
const PLUGINS: Readonly<Record<string, Plugin>> = {
  no_op: async () => {},
  inject_image_metadata: injectProperties,
  image_decompression: decompressSource,
  image_conversion: decideConversion,
  image_introspection: keepFound,
};

/** Runs the plugin named; the workflow calls one after another in the configured order. @throws what it throws */
export async function runPlugin(deps: PluginDeps, task: ImportTask, plugin: string, tools: StepTools): Promise<void> {
  const run = PLUGINS[plugin];
  if (run === undefined) throw new BackendUnavailable(`There is no import plugin ${plugin}`);
  await run(deps, task, tools);
}

/** Properties from the configuration, reserved names left out, unless the requester has one of the roles to be left alone. */
async function injectProperties(deps: PluginDeps, task: ImportTask): Promise<void> {
  const { inject, ignore_user_roles: ignored } = deps.config.inject_metadata_properties;
  if (task.import.roles.some((role) => ignored.includes(role))) return;
  const properties = Object.fromEntries(Object.entries(inject).filter(([key]) => !isReserved(key)));
  if (Object.keys(properties).length === 0) return;
  await deps.images.change(task.imageId, { expect: { lock: task.id }, mergeProperties: properties });
}

/**
 * Only decides: Plan and Render do the work. A signed image stays what was signed. What is of the target's format, in the form
 * that is asked for, needs no conversion. Content of another format than declared has been
 * refused, or is tolerated (require_image_format_match) and converted from what it is.
 */
async function decideConversion(deps: PluginDeps, task: ImportTask): Promise<void> {
  const image = await deps.images.get(task.imageId);
  const { format } = task.facts;
  const target = deps.config.image_conversion.output_format;
  if (image === undefined || format === undefined || !isConvertible(image, format)) return;
  if (isTarget(deps.config, task.facts) || !mayChangeBytes(deps.config, task)) return;
  await deps.tasks.note(task.id, { targetFormat: target });
}

/** Only decides: what Inspect found goes onto the image when that turns active. */
async function keepFound(deps: PluginDeps, task: ImportTask): Promise<void> {
  const { found } = task.facts;
  if (found === undefined) return;
  const kept = await permitted(deps, task, found);
  deps.log.info('image introspected', { taskId: task.id, imageId: task.imageId, ...kept });
  await deps.tasks.note(task.id, { kept });
}
