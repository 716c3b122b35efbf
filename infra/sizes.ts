import type { FunctionName } from '../workflows/topology.ts';

/** How large each kind of stage is. Money and quotas: docs/operations/capacity.md. Stages with other names are as small as `dev`. */
export interface Sizes {
  /** Data survives `sst remove` and cannot be deleted by accident. */
  readonly durable: boolean;
  readonly logRetention: '1 week' | '3 months';
  /** Concurrent executions kept for each API function: an import that uses up the account's rest cannot starve them. */
  readonly apiConcurrency: Readonly<Record<'api-images' | 'api-identity' | 'api-metadefs', number>>;
  /** The same for what begins, ends and cleans imports, and a bound for rendering: imports share it, and leave the account the rest. */
  readonly importConcurrency: Readonly<Partial<Record<FunctionName, number>>> & { readonly 'import-render': number };
  readonly gateway: {
    readonly cpu: '0.25 vCPU' | '1 vCPU';
    readonly memory: '1 GB' | '4 GB';
    readonly min: number;
    readonly max: number;
    /** MiB of memory for all uploads of one process. */
    readonly uploadBudgetMib: number;
    /** The same for downloads: one for each client that is answered at once, of which a project may have two thirds. */
    readonly downloadBudgetMib: number;
  };
  /** CPU units and MiB of a workflow step that runs as a container. */
  readonly step: { readonly cpu: number; readonly memoryMiB: number };
  /** Requests per second, and at once, that the HTTP API lets through. */
  readonly throttle: { readonly rate: number; readonly burst: number };
}

/** A guaranteed start and end for every import: short calls, so that few at once are many a minute. */
const guaranteed = (each: number) =>
  ({
    'import-begin': each,
    'import-finish': each,
    'import-revert': each,
    'import-ended': each,
    drop: each,
    // One a minute, for two minutes at most.
    janitor: 2,
  }) as const satisfies Partial<Record<FunctionName, number>>;

const SMALL: Sizes = {
  durable: false,
  logRetention: '1 week',
  apiConcurrency: { 'api-images': 10, 'api-identity': 5, 'api-metadefs': 5 },
  importConcurrency: { ...guaranteed(5), 'import-render': 50 },
  gateway: { cpu: '0.25 vCPU', memory: '1 GB', min: 1, max: 2, uploadBudgetMib: 256, downloadBudgetMib: 128 },
  step: { cpu: 1024, memoryMiB: 2048 },
  throttle: { rate: 100, burst: 200 },
};

const PRODUCTION: Sizes = {
  durable: true,
  logRetention: '3 months',
  apiConcurrency: { 'api-images': 100, 'api-identity': 50, 'api-metadefs': 20 },
  importConcurrency: { ...guaranteed(20), 'import-render': 400 },
  gateway: { cpu: '1 vCPU', memory: '4 GB', min: 2, max: 20, uploadBudgetMib: 1024, downloadBudgetMib: 512 },
  step: { cpu: 4096, memoryMiB: 8192 },
  throttle: { rate: 2000, burst: 4000 },
};

export const sizesOf = (stage: string): Sizes => (stage === 'production' ? PRODUCTION : SMALL);
