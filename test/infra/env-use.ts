/** Which environment variables an entry point can come to read, found in its bundle: by the names of service/environment.ts, and by no other way. */
import { ENVIRONMENT } from '../../service/environment.ts';
import { bundledText } from './bundled-text.ts';

export interface EnvironmentUse {
  /** Sorted, as `GLIMPSE_TABLE`. */
  readonly variables: readonly string[];
  /** Reads that go around service/environment.ts, as the code says them. */
  readonly others: readonly string[];
}

export async function environmentUseOf(root: string, entry: string): Promise<EnvironmentUse> {
  const text = await bundledText(root, { entryPoints: [entry] });
  const names = [
    ...text.matchAll(/\b(?:required|optional)\d*\((?:process\.env|env\d*), "(\w+)"\)/g),
    ...text.matchAll(/\bprocess\.env\[ENVIRONMENT\d*\.(\w+)\]/g),
  ].map(([, name = '']) => ENVIRONMENT[name as keyof typeof ENVIRONMENT] ?? `unknown ${name}`);
  // Handed on whole, `process.env` is read by the same two functions.
  const others = [...text.matchAll(/\bprocess\.env(?!\[ENVIRONMENT|, "|\))[^\s)]*/g)].map(([read]) => read);
  return { variables: [...new Set(names)].sort(), others: [...new Set(others)] };
}
