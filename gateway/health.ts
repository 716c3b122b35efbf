/** The container's own health check, for hosts that look inside: asks the process at its port and ends with 0 or 1. */
import { ENVIRONMENT } from '../service/environment.ts';

const port = process.env[ENVIRONMENT.gatewayPort] || '8080';
const healthy = await fetch(`http://127.0.0.1:${port}/healthcheck`, { signal: AbortSignal.timeout(15_000) }).then(
  ({ ok }) => ok,
  () => false,
);
process.exit(healthy ? 0 : 1);
