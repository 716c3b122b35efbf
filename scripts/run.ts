/**
 * The service on one machine, as a process. It is front door, handlers and gateway; two children are the
 * embedded AWS (S3 with the AWS port; DynamoDB, Step Functions, Lambda and events). They end when this process ends.
 */
import { ConfigError } from '../core/config.ts';
import { collectWhenQuiet } from '../local/quiet-collector.ts';
import { startService } from './service.ts';
import { readSettings, UsageError } from './settings.ts';

async function main(): Promise<void> {
  const settings = readSettings(process.argv.slice(2), process.env);
  const service = await startService(settings, { onFailure: fail });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      service.close().then(() => process.exit(0), fail);
    });
  }
  collectWhenQuiet();
  console.log(service.greeting);
}

/** One clear line and exit 1: no stack trace for what an operator can mend. */
function fail(error: unknown): never {
  if (error instanceof UsageError && error.exitCode === 0) {
    console.log(error.message);
    process.exit(0);
  }
  console.error(`glimpse: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(error instanceof UsageError ? error.exitCode : 1);
}

main().catch((error: unknown) => {
  if (
    !(error instanceof Error) ||
    error instanceof ConfigError ||
    error instanceof UsageError ||
    process.env['GLIMPSE_DEBUG'] === undefined
  )
    fail(error);
  console.error(error);
  process.exit(1);
});
