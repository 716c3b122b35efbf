/**
 * `npm run infra:install`: puts SST's platform (components, providers) below `.sst/`, where the infrastructure is typechecked, tested and
 * deployed. Needs the npm registry only, and nothing when it is there in the version that package.json pins.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const PLATFORM = new URL('../.sst/platform/', import.meta.url);
const QUIET = {
  SST_SKIP_DEPENDENCY_CHECK: '1',
  SST_NO_BUN: '1',
  SST_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
};

function isInstalled(): boolean {
  const wanted = JSON.parse(readFileSync(new URL('../node_modules/sst/package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const marks = ['version', 'node_modules/@pulumi/aws/package.json', 'src/auto/run.ts'].map(
    (p) => new URL(p, PLATFORM),
  );
  const [version] = marks;
  return (
    marks.every((mark) => existsSync(mark)) &&
    version !== undefined &&
    readFileSync(version, 'utf8').trim() === wanted.version
  );
}

if (!isInstalled()) {
  console.log('Installing the SST platform (about half a minute, once) …');
  const { status, error } = spawnSync('npx', ['sst', 'install', '--stage', 'ci'], {
    cwd: new URL('..', import.meta.url),
    env: { ...process.env, ...QUIET },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0 || !isInstalled()) {
    console.error(`glimpse: the SST platform could not be installed (${error?.message ?? `exit ${status}`})`);
    process.exit(1);
  }
}
