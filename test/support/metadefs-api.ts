import { randomUUID } from 'node:crypto';
import { createMetadefRepository } from '../../aws/dynamodb/metadefs.ts';
import type { Table } from '../../aws/dynamodb/table.ts';
import { parseConfig } from '../../core/config.ts';
import type { Deps } from '../../core/deps.ts';
import type { MetadefDeps } from '../../core/metadefs/access.ts';
import { catalogLimits } from '../../core/metadefs/limits.ts';
import { createPolicy, type PolicyOptions } from '../../core/policy/policy.ts';
import { createMetadefsApi } from '../../functions/api/metadefs/api.ts';
import { type Answer, BY_NAME, type Call, callsOf } from './images-api.ts';
import { dutiesOf, startTable } from './table.ts';

export interface MetadefsApi {
  readonly deps: MetadefDeps & Pick<Deps, 'log' | 'duties'>;
  readonly table: Table;
  /** Moves 1 s per reading, so that no two records share a second. */
  readonly time: { nowMs: number };
  readonly errors: string[];
  call(method: string, path: string, call?: Call): Promise<Answer>;
  close(): Promise<void>;
}

/** The real handler chain over the embedded DynamoDB; tokens are names of CALLERS. */
export async function startMetadefsApi(
  config: Record<string, unknown> = {},
  policy: PolicyOptions = {},
): Promise<MetadefsApi> {
  const database = await startTable();
  const { table, close } = database;
  const time = { nowMs: Date.parse('2026-05-05T00:00:00Z') };
  const clock = {
    now: () => {
      time.nowMs += 1000;
      return time.nowMs;
    },
  };
  const errors: string[] = [];
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: (...f: unknown[]) => void errors.push(JSON.stringify(f)),
  };
  const parsed = parseConfig({ stores: [{ id: 'central', bucket: 'central-bucket' }], ...config });
  const duties = dutiesOf(database);
  const metadefs = createMetadefRepository(table, {
    clock,
    newId: randomUUID,
    duties,
    limits: catalogLimits(parsed),
    log,
  });
  const deps = { config: parsed, clock, newId: randomUUID, metadefs, duties, policy: createPolicy(policy), log };
  const handler = createMetadefsApi(deps, { authenticator: BY_NAME });
  return {
    deps,
    table,
    time,
    errors,
    close,
    call: callsOf(handler),
  };
}
