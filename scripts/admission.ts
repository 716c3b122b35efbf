import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { errorAnswer } from '../api/errors.ts';
import { createClaims, createFairPool } from '../bytes/fair-pool.ts';
import { Busy } from '../core/errors.ts';
import type { HttpApiHandler } from '../local/http-api/http-api.ts';

export interface AdmissionOptions {
  /** Requests being worked on at once. Default 16: they take turns at two processors, and more of them only hold more memory. */
  readonly atOnce?: number;
  /** Milliseconds that one waits for its turn. Default 20 s: a client hears of it before it gives up by itself. */
  readonly waitMs?: number;
}

const BUSY = 'The service is asked more than it can take; try again later.';

/**
 * What the concurrency of functions is in a deployment: API handlers of one process take turns, who asks least first, so that a crowd
 * costs the memory of some requests and none of them runs out of time over records. Who gets no turn is answered 503 with Retry-After.
 * Bodies are here before, and answers leave after: a slow client holds no turn.
 */
export function createAdmission({ atOnce = 16, waitMs = 20_000 }: AdmissionOptions = {}) {
  const pool = createFairPool(atOnce, BUSY);
  const claims = createClaims();
  return (handler: HttpApiHandler): HttpApiHandler =>
    async (event, context) => {
      const caller = callerOf(event);
      const claim = claims.open(caller);
      try {
        await pool.take(1, { claim, waitMs });
        try {
          return await handler(event, context);
        } finally {
          pool.give(1, claim);
        }
      } catch (error) {
        if (error instanceof Busy) return refusal(error, event);
        throw error;
      } finally {
        claims.close(caller);
      }
    };
}

/** By token, and by address who brings none. */
function callerOf({ headers, requestContext }: APIGatewayProxyEventV2): string {
  return headers['x-auth-token'] ?? requestContext.http.sourceIp;
}

function refusal(error: Busy, { headers }: APIGatewayProxyEventV2): APIGatewayProxyStructuredResultV2 {
  const { accept } = headers;
  return errorAnswer(error, accept === undefined ? {} : { accept });
}
