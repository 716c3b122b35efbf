/** What was measured, for whoever reads the figures later. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** The release of a command's package, or what is said when there is none. */
function printed(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
}

/** The Glance of this machine that `bench/peer.ts` brings up. */
export function glanceRelease(): string {
  const venv = process.env['GLIMPSE_PEER_GLANCE'];
  if (venv === undefined) return `Glance ${printed('dpkg-query', '-W', 'glance-api').split('\t').at(-1)} of Debian`;
  const python = 'import importlib.metadata as m; print(m.version("glance"))';
  return `Glance ${printed(join(venv, 'bin/python'), '-c', python)} of PyPI`;
}

function ownRelease(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return `Glimpse ${version} (${printed('git', 'rev-parse', '--short', 'HEAD')}), Node ${process.version}`;
}

/** The newest version of the API that a service names. */
async function apiVersion(url: string): Promise<string> {
  const answer = await fetch(new URL('/', url));
  const { versions = [] } = (await answer.json()) as { versions?: { id: string }[] };
  return versions[0]?.id ?? 'unknown';
}

/** One line of what this machine has, and one for each service: the API that it serves. @param urls of image services */
export async function printVersions(urls: readonly string[]): Promise<void> {
  console.log(`${ownRelease()}; the peer, if it is this machine's, ${glanceRelease()}`);
  for (const url of urls) console.log(`${url} serves ${await apiVersion(url)}`);
}
