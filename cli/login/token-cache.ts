/** Tokens of earlier commands, each in a file of its own in the cache folder, which only its user may read. */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeOwnFile } from '../cache-folder.ts';

/** What a login gave. `expiresAt` is the server's, ISO 8601. */
export interface Login {
  readonly token: string;
  /** The image service, with or without version. */
  readonly endpoint: string;
  readonly expiresAt: string;
  readonly user: string;
  readonly project: string;
}

type Settings = Readonly<Record<string, string | undefined>>;

/** A token that ends sooner is not worth a command; clocks of two machines differ by as much. Milliseconds. */
const WORTH_MS = 60_000;
/** What decides who a token is for, and which endpoint is meant. No secret is among it. */
const PARTS =
  /^OS_(AUTH_URL|USER|PROJECT|APPLICATION_CREDENTIAL_(?!SECRET)|REGION_NAME|INTERFACE|IMAGE_ENDPOINT|ENDPOINT)/;

/** The file of who logs in so. */
export function tokenFile(folder: string, settings: Settings): string {
  const parts = Object.entries(settings)
    .filter(([name, value]) => value && PARTS.test(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return join(folder, 'tokens', `${digest.slice(0, 32)}.json`);
}

/** What is kept there and still of use; undefined otherwise. */
export function keptLogin(file: string, nowMs: number): Login | undefined {
  try {
    const login = JSON.parse(readFileSync(file, 'utf8')) as Login;
    return Date.parse(login.expiresAt) - nowMs > WORTH_MS ? login : undefined;
  } catch {
    return undefined;
  }
}

/** A folder that cannot be written costs a login per command, and nothing else. */
export function keepLogin(file: string, login: Login): void {
  try {
    writeOwnFile(file, JSON.stringify(login));
  } catch {
    // as above
  }
}

export function forgetLogin(file: string): void {
  rmSync(file, { force: true });
}
