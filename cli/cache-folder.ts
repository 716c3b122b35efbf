/** Where the command keeps what outlives it: tokens and the state of uploads. The user's own, readable by nobody else. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** `GLIMPSE_CACHE`, else the platform's folder for what may be lost: `$XDG_CACHE_HOME/glimpse`, `~/.cache/glimpse`, `%LOCALAPPDATA%\glimpse`. */
export function cacheFolder(env: Environment = process.env): string {
  const given = env['GLIMPSE_CACHE'];
  if (given) return given;
  const local = env['LOCALAPPDATA'];
  if (process.platform === 'win32' && local) return join(local, 'glimpse');
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'glimpse');
}

/** A file of the user's own (0600, in folders of 0700) that appears whole or not at all. @throws the file system's errors */
export function writeOwnFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.${process.pid}.tmp`;
  writeFileSync(fresh, text, { mode: 0o600, flush: true });
  renameSync(fresh, path);
}
