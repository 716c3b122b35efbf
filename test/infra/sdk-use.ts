/**
 * Which SDK commands a handler can come to send, found in the code itself: the handler is bundled without what is not reachable
 * (esbuild), the ports of `deps` and the calls of the store port it names are looked up, and the implementation of each is bundled the
 * same way.
 */
import type { DirectAccess, Store } from '../../bytes/store.ts';
import { bundledText } from './bundled-text.ts';

/** Ports of Deps, ServiceDeps and ApiDeps that reach AWS → the module and the export that implements them (service/deps.ts). */
export const PORTS = {
  images: ['aws/dynamodb/images.ts', 'createImageRepository'],
  members: ['aws/dynamodb/members.ts', 'createMemberRepository'],
  imageList: ['aws/dynamodb/image-list.ts', 'createImageListing'],
  usage: ['aws/dynamodb/usage.ts', 'createUsageRepository'],
  tasks: ['aws/dynamodb/tasks.ts', 'createTaskRepository'],
  sourceSecrets: ['aws/dynamodb/source-secrets.ts', 'createSourceSecrets'],
  sourceSecretReads: ['aws/dynamodb/source-secrets.ts', 'createSourceSecretReads'],
  duties: ['aws/dynamodb/duties.ts', 'createDutyRepository'],
  identityRecords: ['aws/dynamodb/identity.ts', 'createIdentityRepository'],
  identityReads: ['aws/dynamodb/identity-reads.ts', 'createIdentityReads'],
  projects: ['aws/dynamodb/identity-reads.ts', 'createProjectReads'],
  bytes: ['bytes/places.ts', 'createPlaces'],
  locations: ['bytes/locations.ts', 'createLocations'],
  metadefs: ['aws/dynamodb/metadefs.ts', 'createMetadefRepository'],
  dropBox: ['bytes/drop-box.ts', 'createDropBox'],
  workflows: ['aws/stepfunctions/workflows.ts', 'createWorkflows'],
  keyManager: ['aws/certificates.ts', 'certificatesInSecretsManager'],
  uploadSessions: ['aws/dynamodb/upload-sessions.ts', 'createUploadSessions'],
  direct: ['bytes/direct.ts', 'directIn'],
} as const satisfies Record<string, readonly [string, string]>;
export type PortName = keyof typeof PORTS;

/** Calls of the store port (bytes/store.ts) → the module and the export that make them on S3 (aws/s3/store.ts). */
const STORE_CALLS = {
  headObject: ['aws/s3/single-object.ts', 'headObject'],
  readRange: ['aws/s3/ranged-get.ts', 'RangedGet'],
  getObject: ['aws/s3/single-object.ts', 'getObject'],
  putObject: ['aws/s3/put-object.ts', 'putObject'],
  multipart: ['aws/s3/multipart.ts', 'S3Multipart'],
  resumeMultipart: ['aws/s3/multipart.ts', 'resumeMultipart'],
  copyObject: ['aws/s3/copy-object.ts', 'copyObject'],
  removeObject: ['aws/s3/single-object.ts', 'removeObject'],
  removePrefix: ['aws/s3/remove-prefix.ts', 'removePrefix'],
  signPart: ['aws/s3/direct.ts', 'signPart'],
  signGet: ['aws/s3/direct.ts', 'signGet'],
  listParts: ['aws/s3/multipart.ts', 'storedParts'],
  joinParts: ['aws/s3/multipart.ts', 'completeListed'],
} as const satisfies Record<
  Exclude<keyof PickCalls<Store>, 'canCopyFrom'> | keyof DirectAccess,
  readonly [string, string]
>;

type PickCalls<T> = { [K in keyof T as T[K] extends (...args: never) => unknown ? K : never]: T[K] };

/** Properties of the dependencies that lead to one of the ports above under another name. */
const ALIASES: Readonly<Record<string, PortName>> = {
  findProject: 'projects',
  identity: 'identityRecords',
  authenticator: 'identityReads',
};

export interface SdkUse {
  /** Commands the code sends itself, without a port. */
  readonly direct: readonly string[];
  readonly ports: readonly PortName[];
}

const remembered = new Map<string, Promise<unknown>>();

/** Sources do not change during a run. */
function once<T>(key: string, work: () => Promise<T>): Promise<T> {
  const known = (remembered.get(key) as Promise<T> | undefined) ?? work();
  remembered.set(key, known);
  return known;
}

/** What the bundle of one entry point can do. `root` is the repository. */
export const sdkUseOf = (root: string, entry: string): Promise<SdkUse> =>
  once(`entry ${root} ${entry}`, () => findUse(root, entry));

async function findUse(root: string, entry: string): Promise<SdkUse> {
  const text = await bundle(root, { entryPoints: [entry] });
  const names = [...Object.keys(PORTS), ...Object.keys(ALIASES)];
  const used = names.filter((name) => usesProperty(text, name)).map((name) => ALIASES[name] ?? (name as PortName));
  return { direct: await commandsOf(root, text), ports: [...new Set(used)].sort() };
}

export const commandsOfPort = (root: string, port: PortName): Promise<string[]> =>
  once(`port ${root} ${port}`, () => findCommands(root, port));

async function findCommands(root: string, port: PortName): Promise<string[]> {
  const text = await bundled(root, PORTS[port]);
  return commandsOf(root, text);
}

const bundled = (root: string, [module, name]: readonly [string, string]): Promise<string> =>
  bundle(root, { stdin: { contents: `export { ${name} } from './${module}';`, resolveDir: root } });

/** Commands that the text sends itself, and those of the store port's calls in it. */
async function commandsOf(root: string, text: string): Promise<string[]> {
  const calls = Object.entries(STORE_CALLS).filter(([name]) => text.includes(`.${name}(`));
  const behind = calls.map(([name, place]) =>
    once(`store ${root} ${name}`, async () => commandsIn(await bundled(root, place))),
  );
  return [...new Set([...commandsIn(text), ...(await Promise.all(behind)).flat()])].sort();
}

/** Reachable code only; the place where all ports are built together is left out, or every handler would use everything. */
function bundle(
  root: string,
  input: Pick<Parameters<typeof bundledText>[1], 'entryPoints' | 'stdin'>,
): Promise<string> {
  return bundledText(root, {
    ...input,
    plugins: [
      {
        name: 'without-wiring',
        setup({ onResolve }) {
          onResolve({ filter: /\/(api-)?deps\.ts$/ }, ({ path }) =>
            /(^|\/)(service|\.\.?)\/(api-)?deps\.ts$/.test(path) ? { path, external: true } : undefined,
          );
        },
      },
    ],
  });
}

const commandsIn = (text: string): string[] =>
  [...new Set([...text.matchAll(/\bnew ([A-Z]\w+Command)\d*\(/g)].map(([, name = '']) => name))].sort();

/** `deps.name`, `{ name } = deps`, or a parameter `{ name, … }` of a function that takes dependencies apart. */
function usesProperty(text: string, name: string): boolean {
  return (
    new RegExp(`\\bdeps\\d*\\.${name}\\b`).test(text) ||
    new RegExp(
      `\\{[^{}]*\\b${name}\\b[^{}]*\\} = (?:await )?(?:deps\\d*(?![\\w.])|serviceDeps\\(\\)|apiDeps\\(\\)|identityDeps\\(\\))`,
    ).test(text) ||
    new RegExp(`function \\w*\\(\\{[^{}]*\\b${name}\\b[^{}]*\\}`).test(text)
  );
}
