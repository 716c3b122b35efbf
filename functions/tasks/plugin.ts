import { runPlugin } from '../../bytes/imports/plugins.ts';
import type { StepEvent } from '../../bytes/imports/step.ts';
import { byteStep } from './step.ts';

/** One import plugin; the workflow calls one after another in the configured order. */
export const handler = byteStep<StepEvent & { readonly plugin: string }>((deps, task, { plugin }, tools) =>
  runPlugin(deps, task, plugin, tools),
);
