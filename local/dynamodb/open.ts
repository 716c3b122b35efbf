import { openPublicDynamoDb } from './public.ts';
import type { DynamoDb, DynamoDbOptions } from './server.ts';

/**
 * Opens the embedded DynamoDB on dynalite's inner modules; where they are away or others, on its public server, said in one line
 * (docs/adr/0032).
 * @param say hears that line
 * @throws one clear error when another process holds the directory, or something is asked for that only the inner modules can do
 */
export async function openEmbeddedDynamoDb(
  options: DynamoDbOptions = {},
  say: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
): Promise<DynamoDb> {
  let inner: typeof import('./server.ts');
  try {
    inner = await import('./server.ts');
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    say(
      `embedded AWS: DynamoDB by dynalite's public server, since its inner modules are others (${why}): ` +
        'transactions are not safe from kill -9, and nothing expires',
    );
    return await openPublicDynamoDb(options);
  }
  return await inner.openDynamoDb(options);
}
