import { observed } from '../../aws/telemetry.ts';
import type { ApiHandler } from './chain.ts';

/**
 * An entry point that is built by the first request, not at import: tests and tools may read the module without an environment.
 * A build that fails is tried again by the next request.
 */
export function lazily(build: () => Promise<ApiHandler>): ApiHandler {
  let built: Promise<ApiHandler> | undefined;
  return observed(async (event, context) => {
    built ??= build();
    const handler = await built.catch((error: unknown) => {
      built = undefined;
      throw error;
    });
    return handler(event, context);
  });
}
