/** Programs in Go that use gophercloud as Debian packages it. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Where Debian's golang-github-gophercloud-gophercloud-dev lies. */
const GOCODE = process.env['GLIMPSE_TEST_GOCODE'] ?? '/usr/share/gocode';
const SOURCES = 'src/github.com/gophercloud';

export const hasGophercloud =
  existsSync(join(GOCODE, SOURCES, 'gophercloud/openstack')) && spawnSync('go', ['version']).status === 0;

/** What a program of one file prints. @throws Error with what it, or the compiler, says of a failure */
export async function runGo(program: string, env: Readonly<Record<string, string>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'glimpse-go-'));
  try {
    // A workspace of its own: what Debian installed is not ours to write to.
    await mkdir(join(dir, 'src/probe'), { recursive: true });
    await cp(join(GOCODE, SOURCES), join(dir, SOURCES), { recursive: true });
    await writeFile(join(dir, 'src/probe/main.go'), program);
    const { stdout } = await promisify(execFile)('go', ['run', 'probe'], {
      cwd: dir,
      env: { ...process.env, ...env, ...{ GOPATH: dir, GO111MODULE: 'off', GOFLAGS: '' } },
    });
    return stdout;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
