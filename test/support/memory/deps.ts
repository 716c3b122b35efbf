import { directIn } from '../../../bytes/direct.ts';
import { type Config, parseConfig } from '../../../core/config.ts';
import type { Deps } from '../../../core/deps.ts';
import { NotFound } from '../../../core/errors.ts';
import type { WorkflowPort } from '../../../core/executions/workflow.ts';
import { createLookUps } from '../../../core/identity/look-ups.ts';
import { countedImages } from '../../../core/images/counted.ts';
import type { Image } from '../../../core/images/image.ts';
import type { DropProject, Dropped } from '../../../core/imports/drop.ts';
import { configuredPeers } from '../../../core/imports/peers.ts';
import type { JanitorDeps } from '../../../core/janitor/janitor.ts';
import type { Member } from '../../../core/members/member.ts';
import { catalogLimits } from '../../../core/metadefs/limits.ts';
import { createPolicy } from '../../../core/policy/policy.ts';
import { configuredLimits } from '../../../core/quota/limited-resources.ts';
import type { SourceSecretReads } from '../../../core/tasks/source-secrets.ts';
import { nameId } from '../../../service/name-id.ts';
import { memoryDuties } from './duties.ts';
import { memoryImageList } from './image-list.ts';
import { memoryImages } from './images.ts';
import { memoryMembers } from './members.ts';
import { memoryMetadefs } from './metadefs.ts';
import { Records } from './records.ts';
import { memorySourceSecrets } from './source-secrets.ts';
import { type MemoryStore, memoryStore } from './store.ts';
import { memoryTasks } from './tasks.ts';
import { memoryUploadSessions } from './upload-sessions.ts';
import { memoryUsage } from './usage.ts';

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** Everything the domain needs, in this process's memory, and what tests look at or turn. */
export interface MemoryDeps extends Deps, JanitorDeps {
  readonly sourceSecrets: ReturnType<typeof memorySourceSecrets>;
  readonly sourceSecretReads: SourceSecretReads;
  /** The clock; it stands at 2026-05-05T00:00:00Z until a test moves it. */
  readonly time: { nowMs: number };
  readonly logged: readonly LogLine[];
  /** Task ids whose workflow was started, in order; a second start of one is not recorded, as it changes nothing. */
  readonly started: readonly string[];
  readonly stopped: readonly { readonly taskId: string; readonly cause: string }[];
  /** What `workflows.statusOf` answers; a start writes `RUNNING`, a stop of what runs `ABORTED`, and tests what they like. */
  readonly executions: Map<string, NonNullable<Awaited<ReturnType<WorkflowPort['statusOf']>>>>;
  /** What `workflows.busySince` answers, as tests write it. */
  readonly calls: Map<string, number>;
  /** `place prefix` of each sweep. */
  readonly swept: readonly string[];
  /** The staging bucket, as clients reach it themselves; sweeps reach it, too. */
  readonly staging: MemoryStore;
  /** Objects under `drop/` by key; what was set aside, with its reason. */
  readonly dropped: Map<string, Pick<Dropped, 'bucket' | 'etag' | 'size' | 'metadata'>>;
  readonly setAside: ReadonlyMap<string, string>;
  /** What the key manager holds, by id. */
  readonly certificates: Map<string, Uint8Array>;
  /** Projects that a drop may name, by id. */
  readonly projects: Map<string, DropProject>;
}

/** The stores of the first wave's tests: central is the default. */
const STORES = [
  { id: 'central', bucket: 'central-bucket', default: true },
  { id: 'dcn0', bucket: 'dcn0-bucket' },
  { id: 'dcn1', bucket: 'dcn1-bucket' },
];

const NEW_DEFAULTS = createPolicy({ newDefaults: true });

/** A configuration is parsed once: plays of faults use the same one thousands of times. */
const known = new Map<string, Config>();
function parsed(config: Readonly<Record<string, unknown>>): Config {
  const text = JSON.stringify(config);
  const settings = known.get(text) ?? parseConfig(config);
  known.set(text, settings);
  return settings;
}

/** Nothing to start, nothing to close; ids count up from `00000000-0000-4000-8000-000000000001`. Ports in `overrides` replace ours. */
export function memoryDeps(
  config: Readonly<Record<string, unknown>> = {},
  overrides: Omit<Partial<Deps & JanitorDeps>, 'sourceSecrets'> = {},
): MemoryDeps {
  const settings = parsed({ stores: STORES, ...config });
  const time = { nowMs: Date.parse('2026-05-05T00:00:00Z') };
  const clock = { now: () => time.nowMs };
  const newId = countingIds();
  const records = new Records<Image>();
  const memberships = new Records<Member>();
  const logged: LogLine[] = [];
  const note = (level: LogLine['level']) => (message: string, facts?: LogLine['facts']) =>
    void logged.push({ level, message, ...(facts !== undefined && { facts }) });
  const swept: string[] = [];
  const staging = memoryStore({ id: 'staging' });
  const places = new Map(settings.stores.map(({ id, bucket }) => [id, memoryStore({ id, bucket })]));
  const certificates: MemoryDeps['certificates'] = new Map();
  const sourceSecrets = memorySourceSecrets();
  const projects: MemoryDeps['projects'] = new Map();
  const counter = {
    config: settings,
    clock,
    imageList: memoryImageList(records, memberships),
    usage: memoryUsage(clock),
    limits: configuredLimits(settings),
    ...overrides,
  };
  return {
    ...counter,
    lookUps: createLookUps(clock),
    keyManager: { secret: async (id) => certificates.get(id) },
    newId,
    nameId,
    images: countedImages(memoryImages(records, clock), counter),
    members: memoryMembers(memberships),
    tasks: memoryTasks(clock),
    sourceSecrets,
    sourceSecretReads: sourceSecrets,
    peers: configuredPeers(settings),
    duties: memoryDuties(),
    metadefs: memoryMetadefs({ clock, newId, limits: catalogLimits(settings) }),
    policy: settings.enforce_new_defaults ? NEW_DEFAULTS : createPolicy({ newDefaults: false }),
    locations: { find: async () => undefined },
    storeAbilities: { known: async () => undefined },
    bytes: {
      async removePrefix(place, prefix) {
        swept.push(`${place} ${prefix}`);
        if (place === staging.id) await staging.removePrefix(prefix);
      },
    },
    direct: directIn({ staging, of: (place) => places.get(place) ?? staging }),
    uploadSessions: memoryUploadSessions(),
    log: { info: note('info'), warn: note('warn'), error: note('error') },
    findProject: async (idOrName) => projects.get(idOrName),
    ...recordedWorkflows(),
    ...recordedDrops(),
    time,
    certificates,
    logged,
    swept,
    staging,
    projects,
    ...overrides,
  };
}

function countingIds(): () => string {
  let last = 0;
  return () => {
    last += 1;
    return `00000000-0000-4000-8000-${String(last).padStart(12, '0')}`;
  };
}

function recordedWorkflows(): Pick<MemoryDeps, 'workflows' | 'started' | 'stopped' | 'executions' | 'calls'> {
  const started: string[] = [];
  const stopped: { taskId: string; cause: string }[] = [];
  const executions: MemoryDeps['executions'] = new Map();
  const calls = new Map<string, number>();
  const workflows: WorkflowPort = {
    async startImport({ id }) {
      if (executions.has(id)) return;
      started.push(id);
      executions.set(id, 'RUNNING');
    },
    async stop(taskId, cause) {
      stopped.push({ taskId, cause });
      if (executions.get(taskId) === 'RUNNING') executions.set(taskId, 'ABORTED');
    },
    statusOf: async (taskId) => executions.get(taskId),
    busySince: async (taskId) => calls.get(taskId),
  };
  return { workflows, started, stopped, executions, calls };
}

function recordedDrops(): Pick<MemoryDeps, 'dropBox' | 'dropped' | 'setAside'> {
  const dropped: MemoryDeps['dropped'] = new Map();
  const setAside = new Map<string, string>();
  const found = (key: string) => {
    const object = dropped.get(key);
    if (object === undefined) throw new NotFound(key);
    return object;
  };
  return {
    dropped,
    setAside,
    dropBox: {
      describe: async (key) => found(key),
      async setAside(key, reason) {
        found(key);
        dropped.delete(key);
        setAside.set(key, reason);
      },
    },
  };
}
