import { observed } from '../../aws/telemetry.ts';
import type { ApiHandler } from './chain.ts';

/**
 * An entry point that is built while its function starts, with more processor than a small function has later; elsewhere by the
 * first request: tests and tools may read the module without an environment. A build that fails is tried again by the next request.
 */
export function lazily(build: () => Promise<ApiHandler>): ApiHandler {
  let built = process.env['AWS_LAMBDA_FUNCTION_NAME'] === undefined ? undefined : build();
  // Said to whoever asks first.
  built?.catch(() => undefined);
  return observed(async (event, context) => {
    built ??= build();
    const handler = await built.catch((error: unknown) => {
      built = undefined;
      throw error;
    });
    return handler(event, context);
  });
}
