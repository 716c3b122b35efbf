import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import validate from 'asl-validator';
import { importImage, importImageInFunctions } from '../../../workflows/import-image.ts';
import { ofType, ROOT, synth } from '../../infra/graph.ts';
import { STAGES } from '../../infra/stages.ts';
import type { Graph } from '../../infra/synth/graph-types.ts';
import type { Judge, Judgement } from '../judge.ts';

const PARLIAMENT = process.env['GLIMPSE_PARLIAMENT'] ?? 'parliament';
const CFN_LINT = process.env['GLIMPSE_CFN_LINT'] ?? 'cfn-lint';
const STAGE = 'production over three regions, with a Keystone';

/** What parliament says of rights that are as they should be, by the action that it is about. */
const AS_MEANT: Readonly<Record<string, string>> = {
  'states:DescribeExecution':
    'an execution of a standard state machine is named by arn:…:execution:…; the linter asks for the name of an express one too',
};

/** Linters by others read every policy of the infrastructure and its state machines, the latter as CloudFormation would have them. */
export const infrastructure: Judge = {
  name: 'Policies against parliament and cfn-lint, state machines against asl-validator and cfn-lint',
  folders: ['infra', 'workflows'],
  missing: () => {
    if (!existsSync(join(ROOT, '.sst/platform/version'))) return 'npm run infra:install';
    try {
      for (const program of [PARLIAMENT, CFN_LINT]) execFileSync(program, ['--help'], { stdio: 'ignore' });
      return undefined;
    } catch {
      return 'install parliament and cfn-lint (pip install parliament cfn-lint) and name them in GLIMPSE_PARLIAMENT and GLIMPSE_CFN_LINT when they are not on the path';
    }
  },
  run,
};

/** One line of what parliament prints. */
interface Finding {
  readonly issue: string;
  readonly title: string;
  readonly severity: string;
  readonly detail: unknown;
  readonly location: { readonly filepath?: string };
}

async function run(): Promise<Judgement> {
  const policies = policiesOf(await synth(STAGES[STAGE]));
  const found = await lint(policies);
  const said = found.map((finding) => ({ finding, action: actionOf(finding) }));
  const unlike = said.filter(({ action }) => AS_MEANT[action] === undefined);
  const machines = { 'import-image': importImage, 'import-image, in functions': importImageInFunctions };
  const invalid = Object.entries(machines).flatMap(([name, machine]) =>
    validate(machine).errors.map((error) => `${name}: ${JSON.stringify(error)}`),
  );
  const unlinted = await cloudFormation(policies, Object.values(machines));
  return {
    counts: {
      policies: policies.length,
      'policies that are as they should be': policies.length - new Set(unlike.map(({ finding }) => file(finding))).size,
      'state machines': Object.keys(machines).length,
      'state machines that are valid': Object.keys(machines).length - new Set(invalid).size,
    },
    failures: [
      ...unlike.map(
        ({ finding }) => `${policies[Number(file(finding))]?.role}: ${finding.issue} ${JSON.stringify(finding.detail)}`,
      ),
      ...invalid,
      ...unlinted,
    ],
    accepted: Object.entries(AS_MEANT).flatMap(([name, why]) => {
      const count = said.filter(({ action }) => action === name).length;
      return count === 0 ? [] : [`${count} ${name}: ${why}`];
    }),
  };
}

interface Policy {
  readonly role: string;
  readonly text: string;
}

/** Every policy of every role, each once. */
function policiesOf(graph: Graph): Policy[] {
  const policies = ofType(graph, 'iam/role:Role').flatMap(({ name, inputs }) =>
    ((inputs['inlinePolicies'] ?? []) as readonly { policy: string }[]).map(({ policy }) => ({
      role: name,
      // The engine that makes up the graph's names gives roles a region, which on AWS they do not have.
      text: policy.replaceAll(/arn:aws:iam:[a-z0-9-]+:/g, 'arn:aws:iam::'),
    })),
  );
  return [...new Map(policies.map((policy) => [policy.text, policy])).values()];
}

const file = ({ location }: Finding): string => /(\d+)\.json$/.exec(location.filepath ?? '')?.[1] ?? '';

/** The action that a finding is about; empty when it is about none. */
function actionOf({ detail }: Finding): string {
  const [first] = Array.isArray(detail) ? (detail as unknown[]) : [];
  return typeof first === 'object' && first !== null && 'action' in first ? String(first.action) : '';
}

/** It hands the query language down into maps, where nobody wrote one, and then objects to it. */
const OF_CFN_LINT = /\('QueryLanguage' was unexpected\)/;

/** What cfn-lint says of a template that has them all: one line each. */
async function cloudFormation(policies: readonly Policy[], machines: readonly object[]): Promise<string[]> {
  const resources = [
    ...policies.map(({ text }) => ({
      Type: 'AWS::IAM::ManagedPolicy',
      Properties: { PolicyDocument: JSON.parse(text) as unknown },
    })),
    ...machines.map((Definition) => ({
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: { RoleArn: 'arn:aws:iam::123456789012:role/any', Definition },
    })),
  ];
  const template = {
    AWSTemplateFormatVersion: '2010-09-09',
    Resources: Object.fromEntries(resources.map((resource, i) => [`R${i}`, resource])),
  };
  return inFolder([JSON.stringify(template)], async (folder) => {
    const args = ['--regions', 'us-east-1', '--format', 'parseable', join(folder, '0.json')];
    const lines = (await outputOf(CFN_LINT, args)).split('\n').filter((line) => line.trim() !== '');
    return lines.filter((line) => !OF_CFN_LINT.test(line));
  });
}

const lint = (policies: readonly Policy[]): Promise<Finding[]> =>
  inFolder(
    policies.map(({ text }) => text),
    async (folder) => {
      const lines = (await outputOf(PARLIAMENT, ['--directory', folder, '--json'])).split('\n');
      return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Finding);
    },
  );

/** Both programs end with a code of their own when they found something. */
const outputOf = (program: string, args: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    execFile(program, args, { maxBuffer: 1 << 24 }, (_error, stdout) => resolve(stdout));
  });

/** Texts as `0.json` and so on in a folder that goes afterwards. */
async function inFolder<T>(texts: readonly string[], use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-judge-'));
  try {
    await Promise.all(texts.map((text, i) => writeFile(join(folder, `${i}.json`), text)));
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
