import type { IncomingMessage, ServerResponse } from 'node:http';
import { toAwsError } from '../wire/aws-error.ts';
import { send } from '../wire/body.ts';
import type { JsonObject } from '../wire/json.ts';
import { credentialOf } from './credential.ts';
import type { Iam } from './iam.ts';
import { jsonAccess, type PartitionKeyOf } from './json-access.ts';
import { restAccess } from './rest-access.ts';

/** Asks the policies of who calls, before a service other than S3 does anything. */
export interface Guard {
  /** For a call of a JSON service: throws what the caller is told. Undefined: nobody is asked. */
  json(req: IncomingMessage, service: string, operation: string): ((input: JsonObject) => Promise<void>) | undefined;
  /** For a call of Lambda or Scheduler: true when it may go on; otherwise it is answered. */
  rest(req: IncomingMessage, res: ServerResponse, path: string): boolean;
}

const REST = /^\/(2015-03-31|schedules)(\/|$)/;

/** A guard over `iam`; without it everything goes on. */
export function iamGuard(iam: Iam | undefined, partitionKeyOf: PartitionKeyOf): Guard {
  const keyOf = (req: IncomingMessage): string | undefined => credentialOf(req.headers.authorization)?.accessKeyId;
  return {
    json(req, service, operation) {
      if (iam === undefined) return undefined;
      return async (input) => iam.authorize(keyOf(req), await jsonAccess(service, operation, input, partitionKeyOf));
    },
    rest(req, res, path) {
      if (iam === undefined || !REST.test(path)) return true;
      try {
        iam.authorize(keyOf(req), [restAccess(req.method ?? 'GET', path)]);
        return true;
      } catch (caught) {
        const { code, message } = toAwsError(caught);
        req.resume();
        const headers = { 'content-type': 'application/json', 'x-amzn-errortype': code };
        send(res, 403, headers, JSON.stringify({ Message: message, message }));
        return false;
      }
    },
  };
}
