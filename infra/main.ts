/** The program: what a stage consists of, in the order in which modules may rely on each other. */
import './concurrency.ts';
import './defaults.ts';
import './secrets.ts';
import { api } from './api.ts';
import './events.ts';
import { settlePublicEndpoint } from './public-endpoint.ts';
import { onLocalStack, settings } from './stage.ts';
import { staging, table } from './storage.ts';
import { targets } from './targets.ts';

/** Declares everything; outputs are what scripts and people need to reach the stage. */
export async function declare(): Promise<Record<string, $util.Output<string>>> {
  const url = onLocalStack ? api.url : await publicUrl();
  settlePublicEndpoint(url);
  await import('./observe.ts');
  return {
    url,
    api: api.url,
    region: $util.output(settings.region),
    config: $util.output(settings.configFile),
    table: table.name,
    stagingBucket: staging.name,
    importWorkflow: targets.workflow,
  };
}

async function publicUrl(): Promise<$util.Output<string>> {
  const { openEdge } = await import('./edge.ts');
  if (settings.config.gateway === 'on') await import('./gateway-scaling.ts');
  return openEdge();
}
