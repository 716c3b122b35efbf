/**
 * Shows on a deployed stage what no test on this machine can: a verdict per line, half an hour with the defaults. What it makes it
 * removes. `npm start` can be asked too: what only AWS has is skipped there, with the reason.
 */
import { parseArgs } from 'node:util';
import { EDGE } from './proofs/edge.ts';
import { IMPORTS } from './proofs/imports.ts';
import { type Call, expectSame, type Proof, type Stage } from './proofs/proof.ts';

const PROOFS: readonly Proof[] = [...EDGE, ...IMPORTS];

const HELP = `Usage: OS_TOKEN=… [OS_TOKEN_OTHER=…] npx node scripts/prove-stage.ts URL [options]

  URL               public name of the stage, as \`sst deploy\` prints it
  OS_TOKEN          a token of a project member; OS_TOKEN_OTHER: one of another project

  --read-only       only proofs that make nothing
  --only NAMES      these proofs alone, separated by commas
  --slow-minutes N  how long the slow upload takes (default 10)
  --import-gib N    size of the large disk (default 100; 0: none)
  --data-mib N      how much of it is data, which is uploaded (default 512)
  --help

Proofs (* makes images, and removes them):
${PROOFS.map(({ name, says, writes }) => `  ${`${name}${writes ? ' *' : ''}`.padEnd(18)}${says}`).join('\n')}

Ends with 0 when nothing failed, 1 when something did, 2 when it could not be asked.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', default: false },
    'read-only': { type: 'boolean', default: false },
    only: { type: 'string' },
    'slow-minutes': { type: 'string', default: '10' },
    'import-gib': { type: 'string', default: '100' },
    'data-mib': { type: 'string', default: '512' },
  },
});

function refuse(reason: string): never {
  console.error(`${reason}\n\n${HELP}`);
  process.exit(2);
}

function numberOf(option: 'slow-minutes' | 'import-gib' | 'data-mib'): number {
  const value = Number(values[option]);
  return value >= 0 ? value : refuse(`--${option} ${values[option]} is no number`);
}

const made: string[] = [];

async function stageAt(url: string, ownToken: string): Promise<Stage> {
  const call = (method: string, path: string, { token = ownToken, json, body, headers }: Call = {}) =>
    fetch(new URL(path, url), {
      method,
      headers: {
        ...(token !== null && { 'x-auth-token': token }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      redirect: 'manual',
      ...(json !== undefined && { body: JSON.stringify(json) }),
      ...(body !== undefined && { body, duplex: 'half' as const }),
    });
  const { headers, status } = await call('GET', '/versions', { token: null });
  expectSame(`GET ${url}/versions`, status, 200);
  return {
    url,
    isOnAws: headers.has('apigw-requestid'),
    hasCloudFront: headers.has('x-amz-cf-id'),
    otherToken: process.env['OS_TOKEN_OTHER'],
    slowMinutes: numberOf('slow-minutes'),
    importGib: numberOf('import-gib'),
    dataMib: numberOf('data-mib'),
    call,
    async makeImage(attributes = {}) {
      const json = { name: 'prove-stage', disk_format: 'raw', container_format: 'bare', ...attributes };
      const answer = await call('POST', '/v2/images', { json });
      expectSame('POST /v2/images', answer.status, 201);
      const { id } = (await answer.json()) as { id: string };
      made.push(id);
      return id;
    },
  };
}

/** @returns false when it failed */
async function prove(stage: Stage, proof: Proof): Promise<boolean> {
  const line = (verdict: string, detail: string): void => console.log(`${verdict}  ${proof.name}: ${detail}`);
  const reason = values['read-only'] && proof.writes ? 'it makes images (--read-only)' : proof.skip?.(stage);
  if (reason !== undefined) {
    line('SKIP', reason);
    return true;
  }
  try {
    line('PASS', `${proof.says} (${await proof.run(stage)})`);
    return true;
  } catch (error) {
    line('FAIL', `${error instanceof Error ? error.message : String(error)}; wanted: ${proof.says}`);
    return false;
  }
}

async function removeMade(stage: Stage): Promise<void> {
  for (const id of made) {
    const { status } = await stage.call('DELETE', `/v2/images/${id}`);
    if (status !== 204) console.error(`image ${id} could not be removed: ${status}`);
  }
}

if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const [url] = positionals;
const token = process.env['OS_TOKEN'];
if (url === undefined || !URL.canParse(url)) refuse('A URL is missing.');
if (!token) refuse('OS_TOKEN is not set.');
const wanted = values.only?.split(',');
const strange = wanted?.find((name) => !PROOFS.some((proof) => proof.name === name));
if (strange !== undefined) refuse(`There is no proof ${strange}.`);

const stage = await stageAt(url, token).catch((error: unknown) => refuse(`${url} does not answer: ${String(error)}`));
let failed = 0;
try {
  for (const proof of PROOFS.filter(({ name }) => wanted?.includes(name) ?? true))
    failed += (await prove(stage, proof)) ? 0 : 1;
} finally {
  await removeMade(stage);
}
process.exit(failed === 0 ? 0 : 1);
