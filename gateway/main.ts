/** The gateway as a process of its own: the entry point of its container image. */
import { apiDeps } from '../service/api-deps.ts';
import { ENVIRONMENT, optional } from '../service/environment.ts';
import { byPath, forwardTo } from './forward.ts';
import { createGatewayServer } from './serve.ts';
import { createGateway } from './server.ts';
import { gatewayOptions } from './settings.ts';

/** Fargate kills a task 120 s after SIGTERM at most. */
const GRACE_MS = 110_000;
const DEFAULT_PORT = 8080;

const deps = await apiDeps();
const gateway = createGateway(deps, gatewayOptions(process.env));
const apiUrl = process.env[ENVIRONMENT.apiUrl];
const { server, drain } = createGatewayServer(
  apiUrl ? byPath(gateway, forwardTo(apiUrl, optional(process.env, 'edgeSecret'))) : gateway,
);
server.listen(Number(process.env[ENVIRONMENT.gatewayPort] ?? DEFAULT_PORT));

const stop = (): void => {
  drain(GRACE_MS).then(
    () => process.exit(0),
    (error: unknown) => {
      deps.log.error('the gateway could not be drained', { cause: String(error) });
      process.exit(1);
    },
  );
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
