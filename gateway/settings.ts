import { asCount, type Environment, optional } from '../service/environment.ts';
import type { GatewayOptions } from './server.ts';

const MIB = 1024 * 1024;
/** Less than two slices of a sparse image would have uploads wait for each other. */
const LEAST_UPLOAD_MIB = 32;

/** What the environment says of a gateway; what it does not say is left to the gateway. @throws EnvironmentError */
export function gatewayOptions(env: Environment): GatewayOptions {
  const upload = optional(env, 'uploadBudgetMib');
  const download = optional(env, 'downloadBudgetMib');
  return {
    ...(upload !== undefined && { uploadBudgetBytes: asCount('uploadBudgetMib', upload, LEAST_UPLOAD_MIB) * MIB }),
    ...(download !== undefined && { downloadBudgetBytes: asCount('downloadBudgetMib', download) * MIB }),
  };
}
