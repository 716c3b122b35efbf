/**
 * What a deployed stage needs besides `sst deploy`, run by an operator with AWS credentials (docs/operations/deploy.md):
 *
 *   node scripts/stage.ts keys                    prints new signing keys, for `sst secret set SigningKeys`
 *   node scripts/stage.ts keys --after FILE       the keys in FILE, then a new one, which so far only verifies (rotation, first)
 *   node scripts/stage.ts keys --last-first FILE  the keys in FILE, the last one in front, which then signs (rotation, second)
 *   node scripts/stage.ts accounts --dir FOLDER   makes the first accounts; passwords are kept in FOLDER/secrets.json
 *
 * `accounts` reads .sst/outputs.json, which `sst deploy` wrote. Running it again sets the same passwords again.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { bootstrapIdentity } from '../core/identity/bootstrap.ts';
import { ENVIRONMENT } from '../service/environment.ts';
import { loadSecrets } from './secrets.ts';

interface Outputs {
  readonly url: string;
  readonly region: string;
  readonly config: string;
  readonly table: string;
  readonly stagingBucket: string;
  readonly importWorkflow: string;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { after: { type: 'string' }, 'last-first': { type: 'string' }, dir: { type: 'string' } },
});

function newKey(): object {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: randomBytes(8).toString('hex') };
}

const keysIn = (file: string): object[] => JSON.parse(readFileSync(file, 'utf8')) as object[];

function printKeys(): void {
  const { after, 'last-first': lastFirst } = values;
  const rotated = (keys: readonly object[]): object[] => [...keys.slice(-1), ...keys.slice(0, -1)];
  const keys =
    lastFirst === undefined ? [...(after === undefined ? [] : keysIn(after)), newKey()] : rotated(keysIn(lastFirst));
  console.log(JSON.stringify(keys));
}

async function makeAccounts(dir: string): Promise<void> {
  const outputs = JSON.parse(readFileSync('.sst/outputs.json', 'utf8')) as Outputs;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const secrets = await loadSecrets(dir);
  Object.assign(process.env, {
    [ENVIRONMENT.region]: outputs.region,
    [ENVIRONMENT.table]: outputs.table,
    [ENVIRONMENT.stagingBucket]: outputs.stagingBucket,
    [ENVIRONMENT.importWorkflow]: outputs.importWorkflow,
    [ENVIRONMENT.config]: outputs.config,
    [ENVIRONMENT.account]: outputs.importWorkflow.split(':')[4],
    // Making accounts signs nothing: the stage's own keys stay where they are.
    [ENVIRONMENT.signingKeys]: JSON.stringify(secrets.signingKeys),
  });
  const { identityDeps } = await import('../service/identity-deps.ts');
  const { identity } = await identityDeps();
  if (identity === undefined) throw new Error('The accounts of this stage are those of its Keystone.');
  await bootstrapIdentity(identity, { passwords: secrets.passwords });
  console.log(`The accounts of ${outputs.url} are made; their passwords are in ${dir}/secrets.json.`);
}

const [command] = positionals;
if (command === 'keys') printKeys();
else if (command === 'accounts' && values.dir !== undefined) await makeAccounts(values.dir);
else {
  console.error('Usage: node scripts/stage.ts keys [--after FILE | --last-first FILE] | accounts --dir FOLDER');
  process.exit(2);
}
