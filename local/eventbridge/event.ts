import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../wire/json.ts';

/** An event as targets receive it (Amazon EventBridge User Guide, "Event structure"). */
export interface BusEvent {
  version: '0';
  id: string;
  'detail-type': string;
  source: string;
  account: string;
  /** ISO 8601, UTC. */
  time: string;
  region: string;
  resources: string[];
  detail: JsonObject;
}

/** Makes an event of what a producer knows about it. */
export function busEvent(source: string, detailType: string, detail: JsonObject, resources: string[] = []): BusEvent {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': detailType,
    source,
    account: '000000000000',
    time: `${new Date().toISOString().slice(0, 19)}Z`,
    region: 'us-east-1',
    resources,
    detail,
  };
}
