import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApi } from '../../../api/openapi.ts';
import { parseConfig } from '../../../core/config.ts';
import { type Glimpse, startGlimpse } from '../../support/glimpse.ts';
import type { Judge, Judgement } from '../judge.ts';

const PROGRAM = process.env['GLIMPSE_SCHEMATHESIS'] ?? 'schemathesis';
/** Examples of each operation; the default makes about 20,000 requests. */
const EXAMPLES = process.env['GLIMPSE_SCHEMATHESIS_EXAMPLES'] ?? '150';
const SEED = '1';
/** What is asked of every answer: it is no 5xx, and its status and type are documented. */
const CHECKS = 'not_a_server_error,status_code_conformance,content_type_conformance';

/** schemathesis makes requests of every route from the OpenAPI document and looks at the answers. */
export const openapi: Judge = {
  name: 'The API against its OpenAPI document, by schemathesis',
  folders: ['api', 'functions/api'],
  missing: () => {
    try {
      execFileSync(PROGRAM, ['--version'], { stdio: 'ignore' });
      return undefined;
    } catch {
      return 'install schemathesis (pip install schemathesis) and name it in GLIMPSE_SCHEMATHESIS when it is not on the path';
    }
  },
  run,
};

async function run(): Promise<Judgement> {
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-judge-'));
  const document = join(folder, 'openapi.json');
  const glimpse = await startGlimpse();
  try {
    await writeFile(document, JSON.stringify(withKnown(await known(glimpse))));
    const token = await glimpse.token('admin');
    const { output } = await command(folder, PROGRAM, [
      ...['run', document, '--url', glimpse.url, '--header', `X-Auth-Token: ${token}`],
      ...['--checks', CHECKS, '--max-examples', EXAMPLES, '--seed', SEED, '--phases', 'examples,coverage,fuzzing'],
      // These end the token that everything else needs.
      ...['--exclude-operation-id', 'deleteToken', '--continue-on-failure', '--no-color', '--request-timeout', '30'],
    ]);
    return judgement(output);
  } finally {
    await glimpse.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Things that are there when the requests begin, by the name of the path parameter that names them. */
async function known(glimpse: Glimpse): Promise<Record<string, string>> {
  const send = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
    const response = await glimpse.api('admin', 'POST', path, { body });
    if (!response.ok) throw new Error(`POST ${path} answers ${response.status}: ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  };
  const image = await send('/v2/images', { name: 'judged', disk_format: 'raw', container_format: 'bare' });
  await send('/v2/metadefs/namespaces', { namespace: 'Judged' });
  await send('/v2/metadefs/namespaces/Judged/properties', { name: 'judged', title: 'Judged', type: 'string' });
  await send('/v2/metadefs/namespaces/Judged/objects', { name: 'judged' });
  return { '/v2/images/{id}': String(image['id']), namespace: 'Judged', name: 'judged', tag: 'judged' };
}

/** The document, with what is there beside what may come into a mind. */
function withKnown(values: Readonly<Record<string, string>>): unknown {
  const document = openApi(parseConfig({ stores: [{ id: 'any', bucket: 'any' }] }));
  return JSON.parse(JSON.stringify(document), (key, value: unknown) => {
    if (key !== 'paths') return value;
    for (const [path, operations] of Object.entries(
      value as Record<string, Record<string, { parameters: Parameter[] }>>,
    ))
      for (const { parameters } of Object.values(operations))
        for (const parameter of parameters) {
          const is = path.startsWith('/v2/images/{id}') && parameter.name === 'id' ? '/v2/images/{id}' : parameter.name;
          const there = parameter.in === 'path' ? values[is] : undefined;
          if (there !== undefined) parameter.schema = { anyOf: [{ enum: [there] }, parameter.schema] };
        }
    return value;
  });
}

interface Parameter {
  name: string;
  in: string;
  schema: unknown;
}

/** The program leaves what it found in the folder that it runs in. */
function command(cwd: string, program: string, args: readonly string[]): Promise<{ output: string }> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, SCHEMATHESIS_HOOKS: 'hooks', PYTHONPATH: import.meta.dirname };
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', reject);
    child.on('close', () => resolve({ output }));
  });
}

/** A method that no HTTP client uses is 501 where Glance has no answer of its own. */
const AS_GLANCE = /^TRACE .*: ST101 Server error/;

/** What the program printed at its end, as counts and failures. */
function judgement(output: string): Judgement {
  const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1]?.replaceAll(',', '') ?? 0);
  const found = [...output.matchAll(/^_{3,} (.*) _{3,}\n([\s\S]*?)(?=^_{3,} |^={3,} )/gm)].map(
    ([, operation = '', text = '']) => `${operation}: ${/^- (.*)$/m.exec(text)?.[1] ?? text.trim().slice(0, 200)}`,
  );
  return {
    counts: {
      operations: number(/Operations:\s+([\d,]+) selected/),
      requests: number(/Test cases:\s+([\d,]+) generated/),
    },
    failures: found.filter((line) => !AS_GLANCE.test(line)),
    accepted: found.filter((line) => AS_GLANCE.test(line)).map((line) => `${line} (as Glance answers it)`),
  };
}
