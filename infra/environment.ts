/** What handlers and gateway read from their environment: the names are those of service/environment.ts (test/infra compares). */
import { INDEX_SHARDS } from '../workflows/topology.ts';
import { GRANTS } from './permissions.ts';
import { publicEndpoint } from './public-endpoint.ts';
import { edgeSecret, keystoneSecret, sourceKeys, tokenSecrets } from './secrets.ts';
import { account, settings, sizes } from './stage.ts';
import { staging, table } from './storage.ts';
import { importWorkflowArn } from './targets.ts';

/** The gateway's public endpoint is left to infra/gateway.ts: its component waits for its environment, and the edge for the component. */
export function environmentOf(name: keyof typeof GRANTS): Record<string, $util.Input<string>> {
  const { tokens, keystone, sources } = GRANTS[name];
  return {
    GLIMPSE_TABLE: table.name,
    GLIMPSE_INDEX_SHARDS: String(INDEX_SHARDS),
    GLIMPSE_STAGING_BUCKET: staging.name,
    GLIMPSE_IMPORT_WORKFLOW: importWorkflowArn,
    GLIMPSE_CONFIG: settings.configFile,
    GLIMPSE_ACCOUNT: account,
    ...(name !== 'gateway' && { GLIMPSE_PUBLIC_ENDPOINT: publicEndpoint }),
    ...(name === 'gateway' && {
      GLIMPSE_GATEWAY_PORT: '8080',
      GLIMPSE_UPLOAD_BUDGET_MIB: String(sizes.gateway.uploadBudgetMib),
      GLIMPSE_DOWNLOAD_BUDGET_MIB: String(sizes.gateway.downloadBudgetMib),
      AWS_REGION: settings.region,
    }),
    // The gateway gets them from parameters instead: a task definition can be read by many.
    ...(name !== 'gateway' && tokens && tokenSecrets[tokens]),
    ...(name === 'api-identity' && { GLIMPSE_EDGE_SECRET: edgeSecret }),
    ...(sources && { GLIMPSE_SOURCE_KEYS: sourceKeys }),
    ...(keystone && keystoneSecret),
  };
}
